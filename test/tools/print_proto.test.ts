import { readFileSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { file_buf_validate_validate as validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { expect, test } from 'vitest';

test('buf reads the printed validate.proto back as the descriptor it was printed from', () => {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync('gen/descriptors.binpb'));
  const printed = set.file.find((file) => file.name === 'buf/validate/validate.proto')!;
  delete printed.sourceCodeInfo;
  expect(toBinary(FileDescriptorProtoSchema, printed)).toEqual(
    toBinary(FileDescriptorProtoSchema, validate.proto),
  );
});
