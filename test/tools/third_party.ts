/**
 * Writes `buf/validate/validate.proto`, which our protos import, to where
 * buf.yaml looks for it: no package ships the source, but @bufbuild/protovalidate
 * holds its descriptor.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRegistry } from '@bufbuild/protobuf';
import { file_buf_validate_validate as validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { printProto } from './print_proto.ts';

const directory = new URL('../../node_modules/.parley/proto/buf/validate/', import.meta.url);
mkdirSync(directory, { recursive: true });
writeFileSync(new URL('validate.proto', directory), printProto(validate, createRegistry(validate)));
