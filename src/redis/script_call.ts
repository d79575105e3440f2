/**
 * A call of a script as it is sent. ioredis puts a command together from its arguments, of which a script has many:
 * known for what it is, a call takes two thirds of that.
 */
import { Command } from 'ioredis';
import type { Script } from './scripts.ts';

export class ScriptCall extends Command {
  readonly #text: string;

  constructor(script: Script, keys: readonly string[], args: readonly (string | number)[]) {
    super('EVALSHA', keys as string[], TEXT); // the keys for errors to say
    let text = `*${3 + keys.length + args.length}\r\n$7\r\nEVALSHA\r\n${bulk(script.sha)}${bulk(`${keys.length}`)}`;
    for (const key of keys) text += bulk(key);
    for (const arg of args) text += bulk(`${arg}`);
    this.#text = text;
  }

  override toWritable(): string {
    return this.#text;
  }
}

/** Replies as text, in all their depth. */
export const TEXT = { replyEncoding: 'utf8' } as const;

/**
 * A bulk string of RESP (https://redis.io/docs/latest/develop/reference/protocol-spec/#bulk-strings). Its bytes are
 * counted whatever it is: with a wrong number the rest of a text would be commands.
 */
function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
