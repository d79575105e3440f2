/**
 * A call of a script as it is sent. ioredis puts a command together from its arguments, of which a script has many:
 * known for what it is, a call takes half of that.
 */
import { Command } from 'ioredis';
import type { Script } from './scripts.ts';

export class ScriptCall extends Command {
  readonly #text: string;

  /** `keys`: as keys.ts names them, which is ASCII. */
  constructor(script: Script, keys: readonly string[], args: readonly (string | number)[]) {
    super('EVALSHA', keys as string[], TEXT); // the keys for errors to say
    let text = `*${3 + keys.length + args.length}\r\n$7\r\nEVALSHA\r\n${ascii(script.sha)}${ascii(`${keys.length}`)}`;
    for (const key of keys) text += ascii(key);
    for (const arg of args)
      text += typeof arg === 'number' ? ascii(`${arg}`) : bulk(arg, Buffer.byteLength(arg));
    this.#text = text;
  }

  override toWritable(): string {
    return this.#text;
  }
}

/** Replies as text, in all their depth. */
export const TEXT = { replyEncoding: 'utf8' } as const;

/** To ask for the bytes of a text takes as long as to put it here. */
function ascii(text: string): string {
  return bulk(text, text.length);
}

/** A bulk string of RESP (https://redis.io/docs/latest/develop/reference/protocol-spec/#bulk-strings). */
function bulk(text: string, bytes: number): string {
  return `$${bytes}\r\n${text}\r\n`;
}
