/** A plain gRPC client, for what is not measured: setting the scene, and checking it afterwards. */
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';

/** A method's path in HTTP/2: `/package.Service/Method`. */
export const pathOf = (method: DescMethodUnary): string => `/${method.parent.typeName}/${method.name}`;

/** An answer, and the bytes it came as. */
export interface Answer<O extends DescMessage> {
  readonly message: MessageShape<O>;
  readonly bytes: Buffer;
}

export class ParleyClient implements Disposable {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<Answer<O>> {
    const encoded = Buffer.from(toBinary(method.input, create(method.input, request)));
    const { promise, resolve, reject } = Promise.withResolvers<Answer<O>>();
    const asIs = (bytes: Buffer) => bytes;
    this.#client.makeUnaryRequest(pathOf(method), asIs, asIs, encoded, (error, bytes) => {
      if (error) reject(error);
      else resolve({ message: fromBinary(method.output, bytes!), bytes: bytes! });
    });
    return promise;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
