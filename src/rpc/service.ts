/** The types that tie a protoc-gen-es service to the class that implements it. */
import type { DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { Call } from './call.ts';

/** A request as the handler gets it: decoded, checked against the proto's rules and Struct limits. */
export type Request<M extends DescMethod> = MessageShape<M['input']>;

/** An answer: a message, or the finished bytes of one where encoding is the cost that counts. */
export type Answer<M extends DescMethod> = MessageInitShape<M['output']> | Uint8Array;

/** What a stream yields: an answer, or several that are ready at once. */
type Answers<M extends DescMethod> = Answer<M> | readonly Answer<M>[];

type Handler<M extends DescMethod> = M['methodKind'] extends 'unary'
  ? (request: Request<M>, call: Call) => Promise<Answer<M>> | Answer<M>
  : M['methodKind'] extends 'server_streaming'
    ? (request: Request<M>, call: Call) => AsyncIterable<Answers<M>>
    : M['methodKind'] extends 'client_streaming'
      ? (requests: AsyncIterable<Request<M>>, call: Call) => Promise<Answer<M>>
      : (requests: AsyncIterable<Request<M>>, call: Call) => AsyncIterable<Answers<M>>;

/**
 * What `implements ServiceImpl<typeof SomeService>` demands: every RPC of the
 * service, so that a forgotten one does not compile.
 */
export type ServiceImpl<S extends DescService> = { [K in keyof S['method']]: Handler<S['method'][K]> };
