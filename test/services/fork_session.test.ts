import { describe, expect, it } from 'vitest';
import { ConfigsOperation } from '../../gen/parley/v1/configs_service_pb.ts';
import { Role } from '../../gen/parley/v1/content_pb.ts';
import {
  ContextOverflow,
  ParticipantKind,
  type Session,
  TtlPolicy,
} from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import {
  followed,
  getSession,
  numbers,
  say,
  seqs,
  seqsOf,
  sessionWith,
  turnsFrom,
  turnsOf,
} from './turns.ts';

const parley = useParley();

const EVERYTHING = {
  displayName: 'Source',
  situation: '{{ here }}',
  renderTemplates: true,
  metadata: { m: [null, { '': 1 }] },
  configs: { c: { d: [] } },
  data: { x: -0 },
  contextOverflow: ContextOverflow.SUMMARIZE,
  tokenBudget: 1234,
  ttl: { seconds: 3600n },
  ttlPolicy: TtlPolicy.SLIDING,
  participants: [
    { participantId: 'ann', kind: ParticipantKind.USER, displayName: 'Ann', settings: { s: null } },
    { participantId: 'bot', kind: ParticipantKind.AGENT, instructions: 'Be {{ kind }}.' },
    { participantId: 'ben', kind: ParticipantKind.USER },
  ],
};

async function fork(sessionId: string, throughSeq?: number, newSessionId = ''): Promise<Session> {
  const through = throughSeq === undefined ? {} : { throughSeq };
  return (await parley.sessions.forkSession({ sessionId, newSessionId, ...through })).session!;
}

function micros(time: { seconds: bigint; nanos: number } | undefined): number {
  return Number(time!.seconds) * 1e6 + time!.nanos / 1e3;
}

describe('a fork', () => {
  it('has everything a caller set, a time and an etag of its own', async () => {
    const source = await sessionWith(parley, 3, EVERYTHING);
    const before = await getSession(parley, source);
    const copy = await fork(source);
    expect(copy).toMatchObject(EVERYTHING);
    expect(copy).toEqual({
      ...before,
      sessionId: copy.sessionId,
      etag: copy.etag,
      createTime: copy.createTime,
      updateTime: copy.updateTime,
      expireTime: copy.expireTime,
      forkedFrom: copy.forkedFrom,
    });
    expect(copy.forkedFrom).toMatchObject({ sessionId: source, throughSeq: 3 });
    expect(copy.etag).not.toBe(before.etag);
    expect(micros(copy.createTime)).toBeGreaterThan(micros(before.updateTime));
    expect(micros(copy.expireTime) - micros(copy.updateTime)).toBeCloseTo(3600e6, -4);
    expect(await getSession(parley, copy.sessionId)).toEqual(copy);
    expect(await getSession(parley, source)).toEqual(before);
  });

  it('has the turns with their seqs and times', async () => {
    const source = await sessionWith(parley, 0);
    const metadata = { a: null };
    await parley.chat.appendTurns({
      sessionId: source,
      messages: [{ content: 'a', metadata }, { content: 'b' }],
    });
    await say(parley, source, 'c');
    const { sessionId } = await fork(source);
    expect(await turnsOf(parley, sessionId)).toEqual(await turnsOf(parley, source));
    expect(await followed(parley, { sessionId })).toEqual([...turnsFrom(1, 3), 'caught up']);
  });

  it.each([0, 1, 3, 5])('through %i of five turns has those, and goes on from there', async (throughSeq) => {
    const source = await sessionWith(parley, 5);
    const copy = await fork(source, throughSeq);
    expect(copy).toMatchObject({
      turnCount: throughSeq,
      lastTurnSeq: throughSeq,
      forkedFrom: { sessionId: source, throughSeq },
    });
    expect(await seqsOf(parley, copy.sessionId)).toEqual(numbers(1, throughSeq));
    expect(seqs((await say(parley, copy.sessionId, 'x')).turns)).toEqual([throughSeq + 1]);
    expect(await seqsOf(parley, source)).toEqual(numbers(1, 5));
  });

  it('of turns with some removed between has the gap too', async () => {
    const source = await sessionWith(parley, 5);
    await parley.chat.rewindHistory({ sessionId: source, toSeq: 2 });
    await say(parley, source, 6, 7);
    const copy = await fork(source, 6);
    expect(await seqsOf(parley, copy.sessionId)).toEqual([1, 2, 6]);
    expect(copy).toMatchObject({ turnCount: 3, lastTurnSeq: 6 });
    expect(seqs((await say(parley, copy.sessionId, 'x')).turns)).toEqual([7]);
  });

  it('through a seq beyond the end is INVALID_ARGUMENT, and makes nothing', async () => {
    const source = await sessionWith(parley, 5);
    for (const throughSeq of [6, 4_294_967_295]) {
      const newSessionId = newId();
      expect(await refusal(fork(source, throughSeq, newSessionId))).toBe(
        'INVALID_ARGUMENT FIELD_INVALID through_seq',
      );
      expect(await refusal(parley.sessions.getSession({ sessionId: newSessionId }))).toMatch('NOT_FOUND');
    }
  });

  it('of no turns has none', async () => {
    const source = await sessionWith(parley, 0);
    for (const throughSeq of [undefined, 0]) {
      const copy = await fork(source, throughSeq);
      expect(copy).toMatchObject({ turnCount: 0, lastTurnSeq: 0, forkedFrom: { throughSeq: 0 } });
      expect(seqs((await say(parley, copy.sessionId, 'x')).turns)).toEqual([1]);
    }
  });

  it('of 2,000 turns has them all', async () => {
    const source = await sessionWith(parley, 1000);
    await say(parley, source, ...numbers(1001, 2000));
    const copy = await fork(source);
    expect(copy).toMatchObject({ turnCount: 2000, lastTurnSeq: 2000 });
    expect(await turnsOf(parley, copy.sessionId)).toEqual(await turnsOf(parley, source));
  });

  it('has them all, of whatever size', async () => {
    const sizes = [100, 1000, ...numbers(0, 20).map((n) => 2040 + n * 3), 3000, 6000];
    for (const bytes of sizes) {
      const source = await sessionWith(parley, 0);
      await say(parley, source, ...Array(600).fill('x'.repeat(bytes)));
      const copy = await fork(source);
      expect([bytes, copy.turnCount, copy.lastTurnSeq]).toEqual([bytes, 600, 600]);
    }
  });

  it('of more bytes than any call takes has them all', async () => {
    const source = await sessionWith(parley, 0);
    for (const n of numbers(1, 6)) await say(parley, source, String(n).repeat(2 * 1024 * 1024));
    const { sessionId } = await fork(source);
    expect(await turnsOf(parley, sessionId)).toEqual(await turnsOf(parley, source));
  });
});

it('a fork is of one moment, whatever is said and removed meanwhile', async () => {
  const source = await sessionWith(parley, 1000, { userId: 'ann' });
  let forking = true;
  const talk = async () => {
    for (let toSeq = 990; forking; toSeq -= 10) {
      await parley.chat.rewindHistory({ sessionId: source, toSeq });
      await say(parley, source, 'a', 'b', 'c');
    }
  };
  const talking = talk();
  for (const _ of numbers(1, 10)) {
    const { sessionId, turnCount, lastTurnSeq, participants } = await fork(source);
    const copied = await seqsOf(parley, sessionId);
    const kept = copied.filter((seq) => seq <= 1000).length;
    expect(copied.slice(0, kept)).toEqual(numbers(1, kept));
    expect(kept % 10).toBe(0);
    expect([0, 3]).toContain(copied.length - kept);
    expect([turnCount, lastTurnSeq]).toEqual([copied.length, copied.at(-1)]);
    expect(participants[0]!.turnCount).toBe(turnCount);
  }
  forking = false;
  await talking;
});

describe('the configs of a fork', () => {
  it('that were set are revision 1, by FORK; older revisions stay behind', async () => {
    const source = await sessionWith(parley, 0, { configs: { n: 1 } });
    await parley.configs.updateConfigs({ sessionId: source, configs: { n: 2 } });
    const { sessionId } = await fork(source);
    const { revisions } = await parley.configs.listConfigsRevisions({ sessionId });
    expect(revisions).toMatchObject([{ revision: 1, operation: ConfigsOperation.FORK, configs: { n: 2 } }]);
    expect(await parley.configs.getConfigs({ sessionId })).toMatchObject({ configs: { n: 2 }, revision: 1 });
    expect((await parley.configs.patchConfigs({ sessionId, configs: { m: 3 } })).revision).toBe(2);
    expect((await parley.configs.getConfigs({ sessionId: source })).configs).toEqual({ n: 2 });
  });

  it('that were empty are set too', async () => {
    const source = await sessionWith(parley, 0, { configs: {} });
    expect(await fork(source)).toMatchObject({ configs: {}, configsRevision: 1 });
  });

  it('that were unset, or unset again, are unset, without a revision', async () => {
    const never = await sessionWith(parley, 0);
    const again = await sessionWith(parley, 0, { configs: { n: 1 } });
    await parley.configs.deleteConfigs({ sessionId: again });
    for (const source of [never, again]) {
      const copy = await fork(source);
      expect([copy.configs, copy.configsRevision]).toEqual([undefined, 0]);
      const { revisions } = await parley.configs.listConfigsRevisions({ sessionId: copy.sessionId });
      expect(revisions).toEqual([]);
    }
  });
});

describe('the participants of a fork', () => {
  it('keep their rows, those who left included, with the copied turns counted', async () => {
    const source = await sessionWith(parley, 0, EVERYTHING);
    const said = [
      { participantId: 'ann' },
      { role: Role.ASSISTANT },
      { participantId: 'ben' },
      { participantId: 'ann' },
      { participantId: 'zoe' },
      { role: Role.ASSISTANT, participantId: 'bot' },
    ];
    await parley.chat.appendTurns({
      sessionId: source,
      messages: said.map((who) => ({ ...who, content: 'x' })),
    });
    await parley.sessions.unbindParticipant({ sessionId: source, participantId: 'ben' });
    const listed = async (sessionId: string) =>
      (await parley.sessions.listParticipants({ sessionId, includeUnbound: true })).participants;
    const rows = await listed(source);
    const counts = async (throughSeq = 6) => {
      const copies = await listed((await fork(source, throughSeq)).sessionId);
      expect(copies.map((row) => ({ ...row, turnCount: 0 }))).toEqual(
        rows.map((row) => ({
          ...row,
          turnCount: 0,
          ...(row.leftSeq !== undefined && { leftSeq: throughSeq }), // nobody left later than the copy ends
        })),
      );
      return copies.map(({ participantId, turnCount }) => `${participantId} ${turnCount}`).join();
    };
    expect(await counts()).toBe('ann 2,bot 2,ben 1');
    expect(await counts(3)).toBe('ann 1,bot 1,ben 1');
    expect(await counts(0)).toBe('ann 0,bot 0,ben 0');
  });

  it('count on, and down', async () => {
    const source = await sessionWith(parley, 3, { userId: 'ann' });
    const { sessionId } = await fork(source, 2);
    await say(parley, sessionId, 'x', 'y');
    const count = async () => (await getSession(parley, sessionId)).participants[0]!.turnCount;
    expect(await count()).toBe(4);
    await parley.chat.rewindHistory({ sessionId, toSeq: 1 });
    expect(await count()).toBe(1);
    await parley.chat.clearHistory({ sessionId });
    expect(await count()).toBe(0);
  });
});

it('a fork and its source live apart', async () => {
  const source = await sessionWith(parley, 3, { userId: 'ann', configs: { a: 1 }, data: { b: 1 } });
  const { sessionId } = await fork(source);
  await say(parley, source, 'source');
  await say(parley, sessionId, 'fork', 'fork');
  await parley.chat.rewindHistory({ sessionId: source, toSeq: 1 });
  await parley.sessions.updateSession({ sessionId, dataPatch: { b: 2 } });
  await parley.configs.patchConfigs({ sessionId: source, configs: { a: 3 } });
  await parley.sessions.bindParticipant({
    sessionId,
    participant: { participantId: 'bot', kind: ParticipantKind.AGENT },
  });
  expect(await seqsOf(parley, source)).toEqual([1]);
  expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3, 4, 5]);
  expect(await getSession(parley, source)).toMatchObject({ configs: { a: 3 }, data: { b: 1 }, agentId: '' });
  expect(await getSession(parley, sessionId)).toMatchObject({
    configs: { a: 1 },
    data: { b: 2 },
    agentId: 'bot',
  });
  await parley.sessions.deleteSession({ sessionId: source, permanent: true });
  expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3, 4, 5]);
  expect(await getSession(parley, sessionId)).toMatchObject({ forkedFrom: { sessionId: source } });
});

it('a fork of a fork says which one it is of', async () => {
  const source = await sessionWith(parley, 3);
  const first = await fork(source, 2);
  const second = await fork(first.sessionId, 1);
  expect(second.forkedFrom).toMatchObject({ sessionId: first.sessionId, throughSeq: 1 });
  expect(await seqsOf(parley, second.sessionId)).toEqual([1]);
});

it('a fork of an absent session is NOT_FOUND', async () => {
  expect(await refusal(fork(newId()))).toBe('NOT_FOUND SESSION_NOT_FOUND');
});

it('a fork in another namespace finds nothing to copy', async () => {
  const sessionId = await sessionWith(parley, 1);
  const call = parley.sessions.forkSession({ namespace: newId(), sessionId });
  expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
});
