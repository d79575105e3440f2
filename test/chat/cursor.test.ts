import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromCursor, type Position, toCursor } from '../../src/chat/cursor.ts';
import type { SessionKey } from '../../src/sessions/session.ts';
import { forAll } from '../property.ts';

const key: SessionKey = { namespace: 'default', sessionId: 'one' };

const anyCount = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32 - 1));
const anyPosition: fc.Arbitrary<Position> = fc.record({
  epoch: fc.record({ created: fc.maxSafeNat(), number: anyCount }),
  seq: anyCount,
});
const anyKey = fc.record({
  namespace: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/),
  sessionId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,8}$/),
});

describe('a cursor', () => {
  it('leads back to the place it was made for', () => {
    forAll([anyKey, anyPosition], (key, position) => {
      expect(fromCursor(key, toCursor(key, position))).toEqual(position);
    });
  });

  it('is another one for every other place', () => {
    forAll([anyPosition, anyPosition], (one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      expect(toCursor(key, one) === toCursor(key, other)).toBe(same);
    });
  });

  it('of another session is refused', () => {
    forAll([anyKey, anyKey, anyPosition], (mine, theirs, position) => {
      fc.pre(mine.namespace !== theirs.namespace || mine.sessionId !== theirs.sessionId);
      expect(() => fromCursor(theirs, toCursor(mine, position))).toThrow('cursor is damaged');
    });
  });

  it('cut short, or with one character changed, is refused', () => {
    forAll([anyPosition, fc.nat(), fc.stringMatching(/^[0-9a-z.]$/)], (position, at, character) => {
      const cursor = toCursor(key, position);
      const place = at % cursor.length;
      expect(() => fromCursor(key, cursor.slice(0, place))).toThrow('cursor is damaged');
      fc.pre(cursor[place] !== character);
      const changed = cursor.slice(0, place) + character + cursor.slice(place + 1);
      expect(() => fromCursor(key, changed)).toThrow('cursor is damaged');
    });
  });

  it.each(['', '.', '...', '0.0.0.0', 'NaN.NaN.NaN.', '💥', '-1.0.0.0'])('%j is refused', (cursor) => {
    expect(() => fromCursor(key, cursor)).toThrow('cursor is damaged');
  });
});
