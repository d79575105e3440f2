/**
 * Makes `gen/descriptors.binpb`, which server reflection answers from: every
 * file of the services this server serves with all their imports.
 *
 * Of the source info only comments are kept, and none of google.protobuf's,
 * which every client has: 130 kB instead of 300.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const FILES = [
  'proto/parley',
  'node_modules/google-proto-files/google/rpc/error_details.proto',
  'node_modules/grpc-health-check/proto/health',
  'node_modules/@grpc/reflection/build/proto/grpc/reflection',
];

const image = execFileSync(
  'buf',
  ['build', '.', ...FILES.map((path) => `--path=${path}`), '--as-file-descriptor-set', '--output=-'],
  { maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'inherit'] },
);
const set = fromBinary(FileDescriptorSetSchema, image);
for (const { name, sourceCodeInfo } of set.file) {
  if (!sourceCodeInfo) continue;
  sourceCodeInfo.location = name.startsWith('google/protobuf/')
    ? []
    : sourceCodeInfo.location.filter(
        ({ leadingComments, trailingComments }) => leadingComments || trailingComments,
      );
}
writeFileSync('gen/descriptors.binpb', toBinary(FileDescriptorSetSchema, set));
