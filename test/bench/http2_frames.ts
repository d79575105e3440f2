/**
 * As much of HTTP/2 (RFC 9113, RFC 7541) as a gRPC load generator speaks: frames out ready-made, trailers in read by
 * looking for known bytes. A general HTTP/2 client costs as much as the server it should load; this one costs a
 * fraction, because a request is one copy of a template with two stream ids (and a serial) written into it.
 */

/** Frame types by their numbers. */
export const Frame = {
  Data: 0,
  Headers: 1,
  Reset: 3,
  Settings: 4,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
} as const;

/** Flags by their bits; `Ack` shares its bit with `EndStream`, on other frame types. */
export const Flag = { EndStream: 0x1, Ack: 0x1, EndHeaders: 0x4 } as const;

/** Every frame begins with length, type, flags, stream id. */
export const FRAME_HEADER = 9;

const MAX_WINDOW = 2 ** 31 - 1;

/** The largest DATA frame any server takes without saying so. */
const MAX_FRAME = 16384;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, FRAME_HEADER);
  return bytes;
}

/** Gives the server `credit` more bytes to send on the connection. */
export function windowUpdate(credit: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(credit);
  return frame(Frame.WindowUpdate, 0, 0, payload);
}

/**
 * What a connection opens with. No header table, so that trailers never refer to earlier ones; windows as large as
 * they go, so that streams need no credit and the connection some every gigabyte.
 */
export function opening(): Buffer {
  const settings = Buffer.alloc(18);
  const values = [
    [1, 0], // HEADER_TABLE_SIZE
    [2, 0], // ENABLE_PUSH
    [4, MAX_WINDOW], // INITIAL_WINDOW_SIZE
  ] as const;
  for (const [index, [id, value]] of values.entries()) {
    settings.writeUInt16BE(id, index * 6);
    settings.writeUInt32BE(value, index * 6 + 2);
  }
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  return Buffer.concat([preface, frame(Frame.Settings, 0, 0, settings), windowUpdate(MAX_WINDOW - 65535)]);
}

/** A call's frames for stream 0, and where its moving parts are. */
export interface RequestTemplate {
  readonly bytes: Buffer;
  /** Where the DATA frame begins; its stream id is 5 bytes on, as at 5 for HEADERS. */
  readonly dataAt: number;
  /** Where the serial goes; nowhere when there is none. */
  readonly serialAt: readonly number[];
  /** How much flow-control credit it takes. */
  readonly credit: number;
}

export function requestTemplate(
  path: string,
  authority: string,
  message: Uint8Array,
  serialAt: readonly number[],
): RequestTemplate {
  const body = Buffer.alloc(5 + message.length);
  body.writeUInt32BE(message.length, 1);
  body.set(message, 5);
  if (body.length > MAX_FRAME) throw new Error(`a request of ${body.length} bytes needs more than one frame`);
  const headers = frame(Frame.Headers, Flag.EndHeaders, 0, headerBlock(path, authority));
  const data = frame(Frame.Data, Flag.EndStream, 0, body);
  return {
    bytes: Buffer.concat([headers, data]),
    dataAt: headers.length,
    serialAt: serialAt.map((at) => headers.length + FRAME_HEADER + 5 + at),
    credit: body.length,
  };
}

/** HPACK: indexed static entries where they say it all, literals without indexing elsewhere. */
function headerBlock(path: string, authority: string): Buffer {
  const literal = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  for (const text of [path, authority]) {
    if (text.length > 126) throw new Error(`'${text}' does not fit a one-byte HPACK length`);
  }
  return Buffer.concat([
    Buffer.from([0x83, 0x86]), // :method POST, :scheme http
    Buffer.from([0x04]),
    literal(path),
    Buffer.from([0x01]),
    literal(authority),
    Buffer.from([0x0f, 0x10]),
    literal('application/grpc'), // content-type
    Buffer.from([0x00]),
    literal('te'),
    literal('trailers'),
    Buffer.from([0x0f, 0x2b]),
    literal('parley-bench'), // user-agent
  ]);
}

/** `grpc-status` as an HPACK string: Huffman-coded, as nghttp2 sends it, and plain. */
const STATUS_NAMES = [Buffer.from('889acac8b21234da8f', 'hex'), Buffer.from('\x0bgrpc-status')];

/** The gRPC status in a block of trailers; undefined when there is none. Digits are never worth Huffman coding. */
export function grpcStatus(block: Buffer): number | undefined {
  for (const name of STATUS_NAMES) {
    const at = block.indexOf(name);
    if (at < 0) continue;
    const value = at + name.length;
    const length = block[value]!;
    return Number(block.toString('latin1', value + 1, value + 1 + length));
  }
  return undefined;
}
