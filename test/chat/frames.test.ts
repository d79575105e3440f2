import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FollowTurnsResponseSchema, ListTurnsResponseSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import { TurnSchema } from '../../gen/parley/v1/content_pb.ts';
import { toCursor } from '../../src/chat/cursor.ts';
import { splitFrames } from '../../src/chat/frames.ts';
import { followEncoder } from '../../src/services/turn_messages.ts';
import { forAll } from '../property.ts';
import { toFrame } from './frame.ts';

const key = { namespace: 'default', sessionId: 'one' };
const anySeq = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const anyTime = fc.integer({ min: 0, max: 4e15 });
const anyText = fc.string({ unit: 'binary', maxLength: 300 }).map((text) => text.toWellFormed());

function bodyOf(text: string): Uint8Array {
  return toBinary(TurnSchema, create(TurnSchema, { parts: [{ content: { case: 'text', value: text } }] }));
}

function turnOf(seq: number, time: number, text: string) {
  const seconds = Math.floor(time / 1e6);
  const createTime = { seconds: BigInt(seconds), nanos: (time - seconds * 1e6) * 1000 };
  return create(TurnSchema, { seq, createTime, parts: [{ content: { case: 'text', value: text } }] });
}

describe('frames', () => {
  it('one after the other are the turns of an answer', () => {
    forAll([fc.array(fc.tuple(anySeq, anyTime, anyText), { maxLength: 5 })], (turns) => {
      const frames = turns.map(([seq, time, text]) => toFrame(seq, time, bodyOf(text)));
      const answer = fromBinary(ListTurnsResponseSchema, Buffer.concat(frames));
      expect(answer.turns).toEqual(turns.map((turn) => turnOf(...turn)));
    });
  });

  it('are those of the same turns where these were stored with seq and time', () => {
    forAll([anySeq, anyTime, anyText], (seq, time, text) => {
      const turn = turnOf(seq, time, text);
      const frame = toFrame(seq, time, toBinary(TurnSchema, turn));
      expect(fromBinary(ListTurnsResponseSchema, frame).turns).toEqual([turn]);
      expect(splitFrames(frame).map((one) => one.seq)).toEqual([seq]);
    });
  });

  it('are found again, with their seqs, when they were put together', () => {
    forAll([fc.array(fc.tuple(anySeq, anyTime, anyText), { maxLength: 5 })], (turns) => {
      const frames = turns.map(([seq, time, text]) => toFrame(seq, time, bodyOf(text)));
      const split = splitFrames(Buffer.concat(frames));
      expect(split.map(({ seq }) => seq)).toEqual(turns.map(([seq]) => seq));
      expect(split.map(({ frame }) => Buffer.from(frame))).toEqual(frames);
    });
  });

  it('are the turn of a message to a follower, behind the cursor', () => {
    forAll([anySeq, anyTime, anyText, fc.maxSafeNat()], (seq, time, text, number) => {
      const cursor = toCursor(key, { epoch: { created: time, number }, seq });
      const body = bodyOf(text);
      const told = followEncoder.turn(toFrame(seq, time, body), cursor);
      const message = fromBinary(FollowTurnsResponseSchema, told);
      expect(message.cursor).toBe(cursor);
      expect(message.event).toEqual({ case: 'turn', value: turnOf(seq, time, text) });
      expect(followEncoder.newTurn({ seq, createTime: time, body }, cursor)).toEqual(told);
    });
  });

  it('reach a follower behind the longest cursor there is', () => {
    const end = Number.MAX_SAFE_INTEGER;
    const cursor = toCursor(key, { epoch: { created: end, number: end }, seq: 2 ** 32 - 1 });
    expect(cursor.length).toBeGreaterThan(36);
    const told = followEncoder.turn(toFrame(7, 0, bodyOf('Hello.')), cursor);
    expect(fromBinary(FollowTurnsResponseSchema, told).cursor).toBe(cursor);
    const live = followEncoder.newTurn({ seq: 7, createTime: 0, body: bodyOf('Hello.') }, cursor);
    expect(fromBinary(FollowTurnsResponseSchema, live).cursor).toBe(cursor);
  });
});
