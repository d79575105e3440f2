/**
 * Cursors: a place in the log of one epoch, to be kept by a client.
 *
 * A checksum ties it to its session. It finds mistakes and not forgers: a forged
 * cursor leads nowhere its caller could not go, since the session comes from the
 * request.
 */
import { crc32 } from 'node:zlib';
import { ParleyError } from '../errors.ts';
import type { SessionKey } from '../sessions/session.ts';
import { type Epoch, sameEpoch } from './turns.ts';

/** Behind the turn `seq` of an epoch; 0 is its beginning. */
export interface Position {
  readonly epoch: Epoch;
  readonly seq: number;
}

export function toCursor(key: SessionKey, position: Position): string {
  return new Cursors(key).at(position);
}

/** Makes the cursors of a session. What those of one epoch have in common is worked out once. */
export class Cursors {
  readonly #key: SessionKey;
  #epoch: Epoch | undefined;
  #begin = '';
  #checksum = 0;

  constructor(key: SessionKey) {
    this.#key = key;
  }

  at({ epoch, seq }: Position): string {
    if (!this.#epoch || !sameEpoch(this.#epoch, epoch)) this.#enter(epoch);
    const digits = inBase36(seq);
    return `${this.#begin}${digits}.${inBase36(crc32(digits, this.#checksum))}`;
  }

  #enter(epoch: Epoch): void {
    this.#epoch = epoch;
    this.#begin = `${inBase36(epoch.created)}.${inBase36(epoch.number)}.`;
    this.#checksum = checksum(this.#key, this.#begin);
  }
}

/** Throws CURSOR_INVALID unless it is a cursor of this session. */
export function fromCursor(key: SessionKey, cursor: string): Position {
  const place = cursor.slice(0, Math.max(cursor.lastIndexOf('.'), 0));
  const [created, number, seq] = place.split('.').map((text) => Number.parseInt(text, 36));
  if (
    cursor !== `${place}.${checksum(key, place).toString(36)}` ||
    !isCount(created) ||
    !isCount(number) ||
    !isCount(seq)
  ) {
    throw new ParleyError('CURSOR_INVALID', 'cursor is damaged, or belongs to another session', {
      fields: [{ field: 'cursor', description: 'is damaged, or belongs to another session' }],
    });
  }
  return { epoch: { created, number }, seq };
}

function checksum({ namespace, sessionId }: SessionKey, place: string): number {
  return crc32(`${namespace}/${sessionId} ${place}`);
}

/** As toString(36), which is slow with what V8 does not keep as a small integer. */
function inBase36(value: number): string {
  if (value < 2 ** 31) return value.toString(36);
  const high = Math.floor(value / 36 ** 5);
  return inBase36(high) + (value - high * 36 ** 5).toString(36).padStart(5, '0');
}

function isCount(value: number | undefined): value is number {
  return Number.isSafeInteger(value);
}
