/** A plain gRPC client, for what is not measured: setting the scene, and checking it afterwards. */
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';

/** A method's path in HTTP/2: `/package.Service/Method`. */
export const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

/** An answer, and the bytes it came as. */
export interface Answer<O extends DescMessage> {
  readonly message: MessageShape<O>;
  readonly bytes: Buffer;
}

/** Hands bytes through: what came is looked at as it came. */
const asIs = (bytes: Buffer) => bytes;

export class ParleyClient implements Disposable {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<Answer<O>> {
    const encoded = encode(method, request);
    const { promise, resolve, reject } = Promise.withResolvers<Answer<O>>();
    this.#client.makeUnaryRequest(pathOf(method), asIs, asIs, encoded, (error, bytes) => {
      if (error) reject(error);
      else resolve({ message: fromBinary(method.output, bytes!), bytes: bytes! });
    });
    return promise;
  }

  /** The first `count` messages of a stream, as they came. */
  first<I extends DescMessage>(
    method: DescMethodServerStreaming<I>,
    request: MessageInitShape<I>,
    count: number,
  ): Promise<Buffer[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer[]>();
    const stream = this.#client.makeServerStreamRequest(pathOf(method), asIs, asIs, encode(method, request));
    const messages: Buffer[] = [];
    stream.on('data', (message: Buffer) => {
      if (messages.push(message) < count) return;
      resolve(messages);
      stream.cancel();
    });
    stream.on('error', reject); // the cancelling, too, of which nobody hears any more
    stream.on('end', () => reject(new Error(`${method.name} ended after ${messages.length} messages`)));
    return promise;
  }

  /** A stream to its end. */
  all<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>[]> {
    const { promise, resolve, reject } = Promise.withResolvers<MessageShape<O>[]>();
    const stream = this.#client.makeServerStreamRequest(pathOf(method), asIs, asIs, encode(method, request));
    const messages: MessageShape<O>[] = [];
    stream.on('data', (message: Buffer) => messages.push(fromBinary(method.output, message)));
    stream.on('error', reject);
    stream.on('end', () => resolve(messages));
    return promise;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function encode<I extends DescMessage>({ input }: { input: I }, request: MessageInitShape<I>): Buffer {
  return Buffer.from(toBinary(input, create(input, request)));
}
