import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  ServerReflection,
  ServerReflectionRequestSchema,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { startServer } from './wire.ts';

/** Streams texts of these lengths, each beginning with its number. */
async function texts(lengths: readonly number[]) {
  const { client } = await startServer(ServerReflection, {
    async *serverReflectionInfo() {
      for (const [i, length] of lengths.entries()) {
        yield { validHost: `${i} ${'x'.repeat(length)}`, messageResponse: { case: undefined } };
      }
    },
  });
  const request = create(ServerReflectionRequestSchema, {});
  return client.serverReflectionInfo(
    (async function* () {
      yield request;
    })(),
  );
}

async function numbers(lengths: readonly number[], look: (i: number) => Promise<unknown> | undefined) {
  const seen: number[] = [];
  for await (const { validHost } of await texts(lengths)) {
    const [number, text] = validHost.split(' ');
    if (text?.length === lengths[seen.length]) seen.push(Number(number));
    const pause = look(seen.length);
    if (pause) await pause;
  }
  return seen;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test('thousands of small messages come in order, and the end after them', async () => {
  const lengths = upTo(20_000).map((i) => i % 50);
  expect(await numbers(lengths, () => undefined)).toEqual(upTo(lengths.length));
});

test('so do messages around what may be on its way, to a reader who pauses', async () => {
  const lengths = upTo(60).map((i) => [10, 64 * 1024, 30_000, 64 * 1024 - 8, 200_000][i % 5]!);
  const pause = (i: number) => (i % 7 === 0 ? new Promise((resolve) => setTimeout(resolve, 5)) : undefined);
  expect(await numbers(lengths, pause)).toEqual(upTo(lengths.length));
});
