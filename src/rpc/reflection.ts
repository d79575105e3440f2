/**
 * Server reflection, v1 and v1alpha, over the descriptor set that
 * `npm run generate` makes. The descriptors leave as the compiler wrote them,
 * comments and custom options included.
 */
import { readFileSync } from 'node:fs';
import {
  create,
  createFileRegistry,
  type DescEnum,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { status as Code } from '@grpc/grpc-js';
import {
  type ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import type {
  ServerReflection as ServerReflectionAlpha,
  ServerReflectionRequest as ServerReflectionRequestAlpha,
} from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { ServiceImpl } from './service.ts';

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

/** Both versions at once: they differ in their package only, so both get the same bytes. */
export class Reflection
  implements ServiceImpl<typeof ServerReflection>, ServiceImpl<typeof ServerReflectionAlpha>
{
  readonly #services: readonly string[];
  #index: DescriptorIndex | undefined;

  /** @param services What this server serves, reflection included: no more is listed. */
  constructor(services: readonly DescService[]) {
    this.#services = services.map((service) => service.typeName).sort();
  }

  async *serverReflectionInfo(
    requests: AsyncIterable<ServerReflectionRequest | ServerReflectionRequestAlpha>,
  ): AsyncGenerator<Uint8Array> {
    const sent = new Set<string>();
    // v1alpha under the type of its twin.
    for await (const { host, messageRequest } of requests as AsyncIterable<ServerReflectionRequest>) {
      const answer = create(ServerReflectionResponseSchema, {
        validHost: host,
        originalRequest: create(ServerReflectionRequestSchema, { host, messageRequest }),
        messageResponse: this.#answer(messageRequest, sent),
      });
      yield toBinary(ServerReflectionResponseSchema, answer);
    }
  }

  #answer(request: ServerReflectionRequest['messageRequest'], sent: Set<string>): Answer {
    // Not at startup, which most processes spend without ever being asked.
    this.#index ??= new DescriptorIndex(new URL('../../gen/descriptors.binpb', import.meta.url));
    const index = this.#index;
    switch (request.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: this.#services.map((name) => ({ name })) } };
      case 'fileByFilename':
        return filesOrError(index.withImports(request.value, sent), 'file');
      case 'fileContainingSymbol':
        return filesOrError(index.withImports(index.fileOfSymbol(request.value), sent), 'symbol');
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = request.value;
        return filesOrError(
          index.withImports(index.fileOfExtension(containingType, extensionNumber), sent),
          'extension',
        );
      }
      case 'allExtensionNumbersOfType': {
        const extensionNumber = index.extensionNumbers(request.value);
        if (!extensionNumber) return errorAnswer(Code.NOT_FOUND, 'no such message type');
        return {
          case: 'allExtensionNumbersResponse',
          value: { baseTypeName: request.value, extensionNumber },
        };
      }
      default:
        return errorAnswer(Code.INVALID_ARGUMENT, 'message_request is not set');
    }
  }
}

function filesOrError(fileDescriptorProto: Uint8Array[] | undefined, what: string): Answer {
  if (!fileDescriptorProto) return errorAnswer(Code.NOT_FOUND, `no such ${what}`);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function errorAnswer(errorCode: number, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}

/** Where everything with a name is declared. */
class DescriptorIndex {
  readonly #files = new Map<string, { readonly bytes: Uint8Array; readonly imports: readonly string[] }>();
  /** Symbol → file. */
  readonly #symbols = new Map<string, string>();
  /** Message → the numbers that extend it → file. */
  readonly #extensions = new Map<string, Map<number, string>>();

  constructor(descriptorSet: URL) {
    const set = fromBinary(FileDescriptorSetSchema, readFileSync(descriptorSet));
    for (const file of set.file) {
      this.#files.set(file.name, {
        bytes: toBinary(FileDescriptorProtoSchema, file),
        imports: file.dependency,
      });
    }
    const registry = createFileRegistry(set);
    for (const type of registry) if (type.kind === 'message') this.#extensions.set(type.typeName, new Map());
    for (const file of registry.files) this.#addFile(file);
  }

  fileOfSymbol(symbol: string): string | undefined {
    return this.#symbols.get(symbol.replace(/^\./, ''));
  }

  fileOfExtension(message: string, number: number): string | undefined {
    return this.#extensions.get(message)?.get(number);
  }

  /** Ascending; undefined when there is no such message. */
  extensionNumbers(message: string): number[] | undefined {
    const numbers = this.#extensions.get(message);
    return numbers && [...numbers.keys()].sort((a, b) => a - b);
  }

  /** A file and all it imports, itself first. Of the imports only those that are not in `sent` yet. */
  withImports(name: string | undefined, sent: Set<string>): Uint8Array[] | undefined {
    if (name === undefined || !this.#files.has(name)) return undefined;
    const names = new Set([name]);
    for (const visited of names) {
      // grows while it is walked
      for (const imported of this.#files.get(visited)!.imports) if (!sent.has(imported)) names.add(imported);
      sent.add(visited);
    }
    return Array.from(names, (file) => this.#files.get(file)!.bytes);
  }

  #addFile(file: DescFile): void {
    for (const type of nestedTypes(file)) {
      for (const symbol of symbolsOf(type)) this.#symbols.set(symbol, file.proto.name);
      if (type.kind === 'extension')
        this.#extensions.get(type.extendee.typeName)!.set(type.number, file.proto.name);
    }
  }
}

function symbolsOf(type: DescMessage | DescEnum | DescExtension | DescService): string[] {
  const members = (...names: { readonly name: string }[][]) =>
    names.flat().map(({ name }) => `${type.typeName}.${name}`);
  switch (type.kind) {
    case 'service':
      return [type.typeName, ...members(type.methods)];
    case 'message':
      return [type.typeName, ...members(type.fields, type.oneofs)];
    case 'enum': {
      // By protobuf's rule a value lives beside its enum; many clients look inside.
      const scope = type.typeName.slice(0, type.typeName.lastIndexOf('.') + 1);
      return [type.typeName, ...members(type.values), ...type.values.map(({ name }) => scope + name)];
    }
    case 'extension':
      return [type.typeName];
  }
}
