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
import type { Epoch } from './turns.ts';

/** Behind the turn `seq` of an epoch; 0 is its beginning. */
export interface Position {
  readonly epoch: Epoch;
  readonly seq: number;
}

export function toCursor(key: SessionKey, { epoch, seq }: Position): string {
  const place = [epoch.created, epoch.number, seq].map((number) => number.toString(36)).join('.');
  return `${place}.${checksum(key, place)}`;
}

/** Throws CURSOR_INVALID unless it is a cursor of this session. */
export function fromCursor(key: SessionKey, cursor: string): Position {
  const place = cursor.slice(0, Math.max(cursor.lastIndexOf('.'), 0));
  const [created, number, seq] = place.split('.').map((text) => Number.parseInt(text, 36));
  if (
    cursor !== `${place}.${checksum(key, place)}` ||
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

function checksum({ namespace, sessionId }: SessionKey, place: string): string {
  return crc32(`${namespace}/${sessionId} ${place}`).toString(36);
}

function isCount(value: number | undefined): value is number {
  return Number.isSafeInteger(value);
}
