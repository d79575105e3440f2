/** The tags of `google.protobuf.Struct` and of what is in it (struct.proto): field number << 3 | wire type, a byte each. */
import { WireType } from '@bufbuild/protobuf/wire';

/** Of a Struct: its map. */
export const FIELDS = (1 << 3) | WireType.LengthDelimited;
/** Of an entry of the map. */
export const ENTRY_KEY = (1 << 3) | WireType.LengthDelimited;
export const ENTRY_VALUE = (2 << 3) | WireType.LengthDelimited;
/** Of a ListValue. */
export const VALUES = (1 << 3) | WireType.LengthDelimited;
/** Of a Value: what it is. */
export const NULL_VALUE = (1 << 3) | WireType.Varint;
export const NUMBER_VALUE = (2 << 3) | WireType.Bit64;
export const STRING_VALUE = (3 << 3) | WireType.LengthDelimited;
export const BOOL_VALUE = (4 << 3) | WireType.Varint;
export const STRUCT_VALUE = (5 << 3) | WireType.LengthDelimited;
export const LIST_VALUE = (6 << 3) | WireType.LengthDelimited;
