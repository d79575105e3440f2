/** One HTTP/2 connection of the load generator: calls out, what comes of them in, flow control kept. */
import { connect, type Socket } from 'node:net';
import { Cutter } from './cutter.ts';
import {
  Flag,
  FRAME_HEADER,
  Frame,
  frame,
  grpcStatus,
  opening,
  type RequestTemplate,
  windowUpdate,
} from './http2_frames.ts';

/** A call slot: reused for one request after another, so that a call leaves no garbage behind. */
export interface Call {
  template: RequestTemplate;
  serial: number;
  /** Bytes of DATA received. */
  received: number;
  /** Gets the DATA of a call that is answered with a stream, in portions of any size. */
  readonly onData?: (bytes: Buffer) => void;
}

/** What a connection tells its owner. */
export interface ConnectionEvents {
  /** A call was answered with gRPC status OK. */
  answered(call: Call): void;
  /** All that arrived together was handled: the time to send what came of it. */
  idle(): void;
  /** A call was refused, or the connection is of no more use. */
  failed(reason: string): void;
}

const CREDIT_EVERY = 2 ** 29;

export class Connection {
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #open = new Map<number, Call>();
  readonly #frames = new Cutter(
    FRAME_HEADER,
    (bytes, at) => bytes.readUIntBE(at, 3),
    (bytes, at, end) => this.#onFrame(bytes, at, end),
  );
  #nextStream = 1;
  #outgoing: Call[] = [];
  /** Bytes the server still takes on this connection. */
  #credit = 65535;
  #received = 0;

  constructor(address: string, events: ConnectionEvents) {
    const [host, port] = address.split(':');
    this.#events = events;
    this.#socket = connect({ host: host!, port: Number(port), noDelay: true });
    this.#socket.write(opening());
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => events.failed(error.message));
    this.#socket.on('close', () => events.failed('the server closed the connection'));
  }

  /** Queues a call; {@link flush} sends it. */
  send(call: Call): void {
    this.#outgoing.push(call);
  }

  /** Writes the queued calls at once, as far as the server's credit reaches. */
  flush(): void {
    let size = 0;
    let count = 0;
    for (const { template } of this.#outgoing) {
      if (template.credit > this.#credit) break;
      this.#credit -= template.credit;
      size += template.bytes.length;
      count++;
    }
    if (count === 0) return;
    const bytes = Buffer.allocUnsafe(size);
    let at = 0;
    for (const call of this.#outgoing.splice(0, count)) at = this.#write(call, bytes, at);
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #write(call: Call, bytes: Buffer, at: number): number {
    const { template } = call;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#open.set(stream, call);
    call.received = 0;
    template.bytes.copy(bytes, at);
    bytes.writeUInt32BE(stream, at + 5);
    bytes.writeUInt32BE(stream, at + template.dataAt + 5);
    for (const serialAt of template.serialAt) bytes.writeDoubleLE(call.serial, at + serialAt);
    return at + template.bytes.length;
  }

  #read(chunk: Buffer): void {
    this.#frames.cut(chunk);
    this.#events.idle();
  }

  #onFrame(bytes: Buffer, at: number, end: number): void {
    const flags = bytes[at + 4]!;
    const stream = bytes.readUInt32BE(at + 5);
    const payload = bytes.subarray(at + FRAME_HEADER, end);
    switch (bytes[at + 3]) {
      case Frame.Data:
        this.#onData(this.#open.get(stream), payload);
        break;
      case Frame.Headers:
        if (flags & Flag.EndStream) this.#onTrailers(stream, payload);
        break;
      case Frame.WindowUpdate:
        if (stream === 0) this.#credit += payload.readUInt32BE();
        break;
      case Frame.Settings:
        if (!(flags & Flag.Ack)) this.#socket.write(frame(Frame.Settings, Flag.Ack, 0, Buffer.alloc(0)));
        break;
      case Frame.Ping:
        if (!(flags & Flag.Ack)) this.#socket.write(frame(Frame.Ping, Flag.Ack, 0, payload));
        break;
      case Frame.Reset:
        // After an answer a server may say RST_STREAM(NO_ERROR); before one it refuses the call.
        if (this.#open.has(stream)) this.#events.failed(`stream reset with code ${payload.readUInt32BE()}`);
        break;
      case Frame.GoAway:
        this.#events.failed(`the server says GOAWAY with code ${payload.readUInt32BE(4)}`);
        break;
      case Frame.Continuation:
        this.#events.failed('a header block in two frames: the generator does not read those');
    }
  }

  #onData(call: Call | undefined, bytes: Buffer): void {
    if (call) call.received += bytes.length;
    call?.onData?.(bytes);
    this.#received += bytes.length;
    if (this.#received < CREDIT_EVERY) return;
    this.#socket.write(windowUpdate(this.#received));
    this.#received = 0;
  }

  #onTrailers(stream: number, block: Buffer): void {
    const call = this.#open.get(stream);
    this.#open.delete(stream);
    const status = grpcStatus(block);
    if (!call || status !== 0) this.#events.failed(`a call ended with gRPC status ${status ?? 'none'}`);
    else this.#events.answered(call);
  }
}
