/**
 * Turns as text, a character for each byte: one Buffer among its arguments makes
 * ioredis slow for all. Each says its length first, since Redis counts otherwise.
 */
import type { Epoch, News, StoredTurn } from '../chat/turns.ts';

/** A turn as it is stored: its length, a colon, its bytes. */
export function toText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return `${byteLength}:${Buffer.from(buffer, byteOffset, byteLength).toString('latin1')}`;
}

/** A turn of the log, and whom it counts for. */
export interface Entry {
  readonly turn: StoredTurn;
  readonly participantId: string;
}

/** The entries that read_turns puts one after the other. */
export function parseEntries(text: string): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < text.length; ) {
    const dash = text.indexOf('-', at);
    const space = text.indexOf(' ', dash);
    const counted = text.indexOf(' ', space + 1);
    const { bytes, end } = readTurn(text, counted + 1);
    const seq = Number(text.slice(at, dash));
    const createTime = Number(text.slice(dash + 1, space));
    entries.push({ turn: { seq, createTime, bytes }, participantId: text.slice(space + 1, counted) });
    at = end;
  }
  return entries;
}

/** What append_turns tells followers: epoch, the seq before, the first seq and the time, a line, the turns. */
export function parseNews(text: string): News {
  const line = text.indexOf('\n');
  const [created, number, after, first, createTime] = text.slice(0, line).split(' ').map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const turns: StoredTurn[] = [];
  for (let at = line + 1; at < text.length; ) {
    const { bytes, end } = readTurn(text, at);
    turns.push({ seq: first + turns.length, createTime, bytes });
    at = end;
  }
  return { epoch: { created, number }, after, turns };
}

/** As the scripts write it. */
export function epochOf(created: string, number: string): Epoch {
  return { created: Number(created), number: Number(number) };
}

function readTurn(text: string, at: number): { bytes: Buffer; end: number } {
  const colon = text.indexOf(':', at);
  const end = colon + 1 + Number(text.slice(at, colon));
  return { bytes: Buffer.from(text.slice(colon + 1, end), 'latin1'), end };
}
