import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Direction } from '../../gen/parley/v1/chat_service_pb.ts';
import type { Turn } from '../../gen/parley/v1/content_pb.ts';
import { newId, useParley } from '../harness.ts';
import { forAllAsync } from '../property.ts';
import { failure, refusal, summary } from '../refusal.ts';
import { type ListAsk, numbers, say, seqs, seqsOf, sessionWith, walk } from './turns.ts';

const parley = useParley();
const { BACKWARD, FORWARD } = Direction;

function nanos({ createTime }: Pick<Turn, 'createTime'>): bigint {
  return createTime!.seconds * 1_000_000_000n + BigInt(createTime!.nanos);
}

/** The log as it must be, in memory. */
class Model {
  readonly ever: Turn[] = [];
  kept: Turn[] = [];

  append(turns: Turn[]): void {
    this.ever.push(...turns);
    this.kept.push(...turns);
  }

  rewind(toSeq: number): number {
    const before = this.kept.length;
    this.kept = this.kept.filter(({ seq }) => seq <= toSeq);
    return before - this.kept.length;
  }

  /** Bounds in seqs, where a time is that of a turn; 0 is none. */
  within({ beforeSeq, afterSeq, beforeTime, afterTime }: Bounds): Turn[] {
    const time = (seq: number) => this.ever[seq - 1] && nanos(this.ever[seq - 1]!);
    return this.kept.filter(
      (turn) =>
        (beforeSeq === 0 || turn.seq < beforeSeq) &&
        (afterSeq === 0 || turn.seq > afterSeq) &&
        nanos(turn) < (time(beforeTime) ?? Infinity) &&
        nanos(turn) > (time(afterTime) ?? -Infinity),
    );
  }
}

/** So many turns come, or all after a seq go. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ append: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ rewindTo: fc.nat(20) }) },
);

const bound = fc.oneof(fc.constant(0), fc.nat(40));
const bounds = fc.record({ beforeSeq: bound, afterSeq: bound, beforeTime: bound, afterTime: bound });
type Bounds = typeof bounds extends fc.Arbitrary<infer T> ? T : never;

it('whatever the bounds, directions, page sizes and rewinds, pages hold what a plain log does, once', async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 8 });
  const pageSizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 });
  await forAllAsync(
    [steps, fc.array(bounds, { minLength: 4, maxLength: 4 }), pageSizes],
    async (happened, asks, sizes) => {
      const sessionId = await sessionWith(parley, 0);
      const log = new Model();
      for (const event of happened) {
        if ('append' in event) log.append((await say(parley, sessionId, ...numbers(1, event.append))).turns);
        else {
          const { removed } = await parley.chat.rewindHistory({ sessionId, toSeq: event.rewindTo });
          expect(removed).toBe(log.rewind(event.rewindTo));
        }
      }
      expect(seqs(log.ever)).toEqual(numbers(1, log.ever.length));
      const time = (seq: number) => log.ever[seq - 1]?.createTime;
      for (const ask of asks) {
        const { beforeTime: before, afterTime: after, ...bySeq } = ask;
        const [beforeTime, afterTime] = [time(before), time(after)];
        const byTime = { ...(beforeTime && { beforeTime }), ...(afterTime && { afterTime }) };
        for (const direction of [BACKWARD, FORWARD])
          expect(await walk(parley, { sessionId, direction, ...bySeq, ...byTime }, sizes)).toEqual(
            log.within(ask),
          );
      }
    },
    40,
  );
});

describe('page after page', () => {
  let sessionId: string;
  beforeAll(async () => {
    sessionId = await sessionWith(parley, 130);
  });

  async function page(ask: ListAsk): Promise<{ found: number[]; token: string }> {
    const { turns, nextPageToken } = await parley.chat.listTurns({ sessionId, ...ask });
    return { found: seqs(turns), token: nextPageToken };
  }

  it('holds every turn once, by whatever size, in either direction', async () => {
    for (const pageSize of [...numbers(1, 40), 50, 64, 65, 128, 129, 130, 131])
      for (const direction of [BACKWARD, FORWARD])
        expect(seqs(await walk(parley, { sessionId, direction }, [pageSize])), `by ${pageSize}`).toEqual(
          numbers(1, 130),
        );
  });

  it('goes from the newest page to the oldest, each oldest turn first', async () => {
    const first = await page({ pageSize: 4 });
    const second = await page({ pageSize: 4, pageToken: first.token });
    expect([first.found, second.found]).toEqual([numbers(127, 130), numbers(123, 126)]);
  });

  it('may change its size', async () => {
    const first = await page({ pageSize: 3 });
    const second = await page({ pageSize: 5, pageToken: first.token });
    const third = await page({ pageToken: second.token });
    expect([first.found, second.found, third.found]).toEqual([
      numbers(128, 130),
      numbers(123, 127),
      numbers(73, 122),
    ]);
  });

  it('ends with an empty token, also when the last page is just full', async () => {
    for (const direction of [BACKWARD, FORWARD]) {
      expect((await page({ direction, pageSize: 130 })).token).toBe('');
      expect((await page({ direction, pageSize: 129 })).token).not.toBe('');
      expect((await page({ direction, pageSize: 4, afterSeq: 10, beforeSeq: 15 })).token).toBe('');
    }
  });

  it('holds 1000 when more is asked for', async () => {
    const own = await sessionWith(parley, 1000);
    await say(parley, own, 1001);
    for (const direction of [BACKWARD, FORWARD]) {
      const first = await page({ sessionId: own, direction, pageSize: 2_147_483_647 });
      expect(first.found).toHaveLength(1000);
      const last = await page({ sessionId: own, direction, pageSize: 5000, pageToken: first.token });
      expect(last).toMatchObject({ found: [direction === FORWARD ? 1001 : 1], token: '' });
    }
  });

  it('takes no token made up, damaged, or of another request', async () => {
    const { token } = await page({ pageSize: 1 });
    const [position = '', checksum = ''] = token.split('.');
    const forged = Buffer.from('{"seq":0}').toString('base64url');
    for (const pageToken of [
      'x',
      '.',
      '💥',
      token.slice(1),
      token.slice(0, -1),
      `${token}x`,
      `${forged}.${checksum}`,
      `${position}.`,
      position,
    ]) {
      const error = await failure(page({ pageToken }));
      expect(summary(error), pageToken).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token');
    }
    const another = await sessionWith(parley, 130);
    await parley.sessions.createSession({ namespace: 'another', sessionId });
    const others: ListAsk[] = [
      { direction: FORWARD },
      { beforeSeq: 100 },
      { afterSeq: 1 },
      { beforeTime: { seconds: 4_000_000_000n } },
      { afterTime: { seconds: 1n } },
      { sessionId: another },
      { namespace: 'another' },
    ];
    for (const other of others) {
      const error = await failure(page({ ...other, pageToken: token }));
      expect(summary(error), Object.keys(other)[0]!).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token');
    }
  });

  it('takes no token of ListConfigsRevisions', async () => {
    await parley.configs.updateConfigs({ sessionId, configs: { n: 1 } });
    await parley.configs.updateConfigs({ sessionId, configs: { n: 2 } });
    const { nextPageToken } = await parley.configs.listConfigsRevisions({ sessionId, pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    expect(await refusal(page({ pageToken: nextPageToken }))).toMatch('PAGE_TOKEN_INVALID');
  });

  it.each([
    ['page_size', { pageSize: -1 }],
    ['page_token', { pageToken: 'x'.repeat(1025) }],
    ['direction', { direction: 9 as Direction }],
  ])('refuses a bad %s', async (field, ask) => {
    expect(await refusal(page(ask))).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
  });
});

describe('while others write', () => {
  it('BACKWARD holds once what was there at first', async () => {
    const sessionId = await sessionWith(parley, 30);
    const found = await walk(parley, { sessionId }, [4], () => say(parley, sessionId, 'a', 'b', 'c'));
    expect(seqs(found)).toEqual(numbers(1, 30));
  });

  it('FORWARD comes to what is appended meanwhile', async () => {
    const sessionId = await sessionWith(parley, 30);
    const found = await walk(parley, { sessionId, direction: FORWARD }, [4], async (count) => {
      if (count < 5) await say(parley, sessionId, 'a', 'b');
    });
    expect(seqs(found)).toEqual(numbers(1, 40));
  });

  it.each([BACKWARD, FORWARD])(
    'neither skips nor repeats what is kept through rewinds: direction %i',
    async (direction) => {
      const sessionId = await sessionWith(parley, 30);
      const found = await walk(parley, { sessionId, direction }, [3], async (count) => {
        if (count > 4) return;
        await parley.chat.rewindHistory({ sessionId, toSeq: 28 - count * 4 });
        await say(parley, sessionId, 'new');
      });
      expect(new Set(seqs(found)).size).toBe(found.length);
      const kept = await seqsOf(parley, sessionId);
      const throughout = kept.filter((seq) => seq <= 12);
      expect(throughout).toEqual(numbers(1, 12));
      expect(seqs(found).filter((seq) => seq <= 12)).toEqual(throughout);
      // Nothing but what was said at some time, each in its place.
      expect(seqs(found)).toEqual(seqs(found).toSorted((a, b) => a - b));
    },
  );

  it('ends when everything is cleared away under it', async () => {
    for (const direction of [BACKWARD, FORWARD]) {
      const sessionId = await sessionWith(parley, 10);
      const first = await parley.chat.listTurns({ sessionId, direction, pageSize: 4 });
      await parley.chat.clearHistory({ sessionId });
      const { nextPageToken: pageToken } = first;
      expect(await parley.chat.listTurns({ sessionId, direction, pageSize: 4, pageToken })).toMatchObject({
        turns: [],
        nextPageToken: '',
      });
    }
  });
});

it('a token outlives the turn it was made at', async () => {
  const sessionId = await sessionWith(parley, 10);
  const { nextPageToken } = await parley.chat.listTurns({ sessionId, pageSize: 3 });
  await parley.chat.rewindHistory({ sessionId, toSeq: 5 });
  const { turns } = await parley.chat.listTurns({ sessionId, pageSize: 3, pageToken: nextPageToken });
  expect(seqs(turns)).toEqual([3, 4, 5]);
});

it('a list of another namespace’s session is of an absent one', async () => {
  const sessionId = await sessionWith(parley, 3);
  const call = parley.chat.listTurns({ namespace: newId(), sessionId });
  expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
});
