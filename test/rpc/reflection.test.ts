import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createFileRegistry, type DescService, fromBinary, getOption } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { field as fieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { describe, expect, test } from 'vitest';
import {
  ServerReflection,
  type ServerReflectionRequest,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { SessionService } from '../../gen/parley/v1/session_service_pb.ts';
import { Reflection } from '../../src/rpc/reflection.ts';
import { serve } from '../../src/rpc/serve.ts';
import { clientOf, collect, startServers } from './wire.ts';

type Question = ServerReflectionRequest['messageRequest'];

const SERVED: readonly DescService[] = [SessionService, ServerReflectionAlpha, ServerReflection];

async function startReflection(): Promise<number> {
  const reflection = new Reflection(SERVED);
  return startServers((server, pipeline) => {
    serve(server, ServerReflection, reflection, pipeline);
    serve(server, ServerReflectionAlpha, reflection, pipeline);
  });
}

/** Asks on one stream. */
async function ask(...questions: Question[]) {
  const client = clientOf(await startReflection(), ServerReflection);
  const requests = questions.map((messageRequest) => ({ host: 'h', messageRequest }));
  return collect(client.serverReflectionInfo(streamOf(requests)));
}

async function* streamOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** The files in an answer: the one that was asked for, then its imports. */
function filesIn(answer: Awaited<ReturnType<typeof ask>>[number] | undefined): FileDescriptorProto[] {
  const response = answer!.messageResponse;
  if (response.case !== 'fileDescriptorResponse') throw new Error(`not files: ${response.case}`);
  return response.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

const symbol = (value: string): Question => ({ case: 'fileContainingSymbol', value });
const filename = (value: string): Question => ({ case: 'fileByFilename', value });
const extensionsOf = (value: string): Question => ({ case: 'allExtensionNumbersOfType', value });

describe.each([ServerReflection, ServerReflectionAlpha] as (typeof ServerReflection)[])(
  '$typeName',
  (version) => {
    test('lists what is served, and answers with its own types', async () => {
      const client = clientOf(await startReflection(), version);
      const request = { host: 'h', messageRequest: { case: 'listServices' as const, value: '' } };
      const [answer] = await collect(client.serverReflectionInfo(streamOf([request])));
      expect(answer!.$typeName).toBe(version.method.serverReflectionInfo.output.typeName);
      expect(answer).toMatchObject({ validHost: 'h', originalRequest: request });
      expect(answer!.messageResponse.value).toMatchObject({
        service: SERVED.map(({ typeName }) => ({ name: typeName })).reverse(),
      });
    });
  },
);

describe('a file', () => {
  test('comes with all its imports, comments and options', async () => {
    const [answer] = await ask(symbol('parley.v1.SessionService.CreateSession'));
    const [file, ...imports] = filesIn(answer);
    expect(file!.name).toBe('parley/v1/session_service.proto');
    const comments = file!.sourceCodeInfo!.location.map(({ leadingComments }) => leadingComments);
    expect(comments).toContainEqual(
      expect.stringContaining('Creates a session. Idempotent when `request_id` is set.'),
    );
    const registry = createFileRegistry(file!, (name) => imports.find((it) => it.name === name));
    const rules = getOption(registry.getMessage('parley.v1.GetSessionRequest')!.field.sessionId!, fieldRules);
    expect(rules.type.case).toBe('string');
  });

  test('that was sent on a stream is no import again, yet an answer again', async () => {
    const names = (answer: Parameters<typeof filesIn>[0]) => filesIn(answer).map(({ name }) => name);
    const [first, second] = await ask(
      filename('google/rpc/status.proto'),
      filename('google/rpc/status.proto'),
    );
    expect(names(first)).toEqual(['google/rpc/status.proto', 'google/protobuf/any.proto']);
    expect(names(second)).toEqual(['google/rpc/status.proto']);
  });

  test.each([
    ['parley.v1.SessionService', 'parley/v1/session_service.proto'],
    ['.parley.v1.SessionService', 'parley/v1/session_service.proto'],
    ['parley.v1.Session.display_name', 'parley/v1/session_service.proto'],
    ['parley.v1.IntegrateSessionResponse.event', 'parley/v1/session_service.proto'],
    ['parley.v1.ErrorReason', 'parley/v1/error_reason.proto'],
    ['parley.v1.ERROR_REASON_INTERNAL', 'parley/v1/error_reason.proto'],
    ['parley.v1.ErrorReason.ERROR_REASON_INTERNAL', 'parley/v1/error_reason.proto'],
    ['google.protobuf.FieldDescriptorProto.Type', 'google/protobuf/descriptor.proto'],
    ['buf.validate.field', 'buf/validate/validate.proto'],
    ['grpc.health.v1.Health', 'health/v1/health.proto'],
    ['google.rpc.ErrorInfo', 'google/rpc/error_details.proto'],
  ])('declares %s', async (name, file) => {
    const [answer] = await ask(symbol(name));
    expect(filesIn(answer)[0]!.name).toBe(file);
  });
});

describe('extensions', () => {
  test('are found by number', async () => {
    const value = { containingType: 'google.protobuf.FieldOptions', extensionNumber: 1159 };
    const [answer] = await ask({ case: 'fileContainingExtension', value } as Question);
    expect(filesIn(answer)[0]!.name).toBe('buf/validate/validate.proto');
  });

  test.each([
    ['google.protobuf.FieldOptions', [1159, 1160]],
    ['google.protobuf.FileOptions', []],
  ])('of %s are %j', async (baseTypeName, extensionNumber) => {
    const [answer] = await ask(extensionsOf(baseTypeName));
    expect(answer!.messageResponse).toMatchObject({
      case: 'allExtensionNumbersResponse',
      value: { baseTypeName, extensionNumber },
    });
  });
});

describe('a question without an answer', () => {
  const unknown = ['', '.', '__proto__', 'constructor', 'parley.v1', 'parley.v1.Nothing'];
  const extension = (containingType: string, extensionNumber: number) =>
    ({ case: 'fileContainingExtension', value: { containingType, extensionNumber } }) as Question;

  test('is told so, and the stream goes on', async () => {
    const questions = [
      ...unknown.flatMap((name) => [symbol(name), filename(name), extensionsOf(name), extension(name, 1)]),
      extension('google.protobuf.FieldOptions', 1),
    ];
    const answers = await ask(...questions);
    expect(answers).toHaveLength(questions.length);
    for (const answer of answers) {
      expect(answer.messageResponse).toMatchObject({ case: 'errorResponse', value: { errorCode: 5 } });
    }
  });

  test('is one that asks for nothing', async () => {
    const [answer] = await ask({ case: undefined });
    expect(answer!.messageResponse).toMatchObject({ case: 'errorResponse', value: { errorCode: 3 } });
  });
});

test('buf curl finds every method', async () => {
  const url = `http://127.0.0.1:${await startReflection()}`;
  const flags = ['--protocol', 'grpc', '--http2-prior-knowledge', '--list-methods'];
  const { stdout } = await promisify(execFile)('node_modules/.bin/buf', ['curl', ...flags, url]);
  const served = SERVED.flatMap(({ methods, typeName }) => methods.map(({ name }) => `${typeName}/${name}`));
  expect(stdout.trim().split('\n')).toEqual(served.sort());
});
