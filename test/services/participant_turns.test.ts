import { describe, expect, it } from 'vitest';
import { Role } from '../../gen/parley/v1/content_pb.ts';
import { type Participant, ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { getSession, type MessageInit, say, sessionWith } from './turns.ts';

const parley = useParley();
const { ASSISTANT, SYSTEM, TOOL, USER } = Role;

/** Says something in a role, as somebody or as nobody in particular. */
function as(role: Role, participantId = ''): MessageInit {
  return { role, participantId, content: 'x' };
}

function append(sessionId: string, ...messages: MessageInit[]) {
  return parley.chat.appendTurns({ sessionId, messages });
}

async function rows(sessionId: string): Promise<Participant[]> {
  return (await parley.sessions.listParticipants({ sessionId, includeUnbound: true })).participants;
}

/** `ann: 2, bot: 1`, by ListParticipants; GetSession is found to say the same of the bound ones. */
async function counts(sessionId: string): Promise<string> {
  const all = await rows(sessionId);
  const bound = all.filter(({ unbindTime }) => unbindTime === undefined);
  expect((await getSession(parley, sessionId)).participants).toEqual(bound);
  return all.map(({ participantId, turnCount }) => `${participantId}: ${turnCount}`).join(', ');
}

function bind(sessionId: string, participantId: string, kind: ParticipantKind = ParticipantKind.USER) {
  return parley.sessions.bindParticipant({ sessionId, participant: { participantId, kind } });
}

function unbind(sessionId: string, participantId: string) {
  return parley.sessions.unbindParticipant({ sessionId, participantId });
}

const annAndBot = () => sessionWith(parley, 0, { userId: 'ann', agentId: 'bot' });

describe('a turn counts', () => {
  it('for the participant it names, whatever the role', async () => {
    const sessionId = await annAndBot();
    await append(sessionId, as(USER, 'ann'), as(ASSISTANT, 'bot'), as(SYSTEM, 'ann'), as(TOOL, 'bot'));
    expect(await counts(sessionId)).toBe('ann: 2, bot: 2');
    await append(sessionId, as(ASSISTANT, 'ann'), as(USER, 'bot'), as(USER, 'bot'));
    expect(await counts(sessionId)).toBe('ann: 3, bot: 4');
  });

  it('for the only bound user or agent, when it names nobody and is a user’s or an agent’s', async () => {
    const sessionId = await annAndBot();
    const { turns } = await append(sessionId, as(USER), as(ASSISTANT), as(SYSTEM), as(TOOL), {
      content: 'x',
    });
    expect(await counts(sessionId)).toBe('ann: 2, bot: 1');
    expect(turns.map(({ participantId }) => participantId)).toEqual(['', '', '', '', '']);
  });

  it('for nobody, when it names nobody and two are bound', async () => {
    const sessionId = await annAndBot();
    await bind(sessionId, 'ben');
    await append(sessionId, as(USER), as(ASSISTANT));
    expect(await counts(sessionId)).toBe('ann: 0, bot: 1, ben: 0');
  });

  it('for nobody, when it names nobody and none is bound', async () => {
    const sessionId = await annAndBot();
    await unbind(sessionId, 'ann');
    await append(sessionId, as(USER), as(ASSISTANT));
    expect(await counts(sessionId)).toBe('ann: 0, bot: 1');
  });

  it('for the one who is bound, when another left', async () => {
    const sessionId = await annAndBot();
    await bind(sessionId, 'ben');
    await unbind(sessionId, 'ann');
    await append(sessionId, as(USER));
    expect(await counts(sessionId)).toBe('ann: 0, bot: 0, ben: 1');
  });

  it('for one who left, when it names him', async () => {
    const sessionId = await annAndBot();
    await append(sessionId, as(USER, 'ann'));
    await unbind(sessionId, 'ann');
    await append(sessionId, as(USER, 'ann'));
    expect(await counts(sessionId)).toBe('ann: 2, bot: 0');
    expect((await bind(sessionId, 'ann')).participant!.turnCount).toBe(2);
  });

  it('for nobody, when it names one the session does not know, though he comes later', async () => {
    const sessionId = await annAndBot();
    await append(sessionId, as(USER, 'zoe'));
    expect(await counts(sessionId)).toBe('ann: 0, bot: 0');
    expect((await bind(sessionId, 'zoe')).participant!.turnCount).toBe(0);
    await append(sessionId, as(USER, 'zoe'));
    expect(await counts(sessionId)).toBe('ann: 0, bot: 0, zoe: 1');
  });

  it('for ids that mean something elsewhere', async () => {
    const ids = [
      'constructor',
      'toString',
      'hasOwnProperty',
      '10',
      '9',
      'n',
      'count',
      'last',
      'epoch',
      'a:b',
      'a.b',
    ];
    const sessionId = newId();
    const participants = ids.map((participantId) => ({ participantId, kind: ParticipantKind.USER }));
    await parley.sessions.createSession({ sessionId, session: { participants } });
    for (const [at, id] of ids.entries()) await append(sessionId, ...Array(at + 1).fill(as(USER, id)));
    expect(await counts(sessionId)).toBe(ids.map((id, at) => `${id}: ${at + 1}`).join(', '));
    await parley.chat.rewindHistory({ sessionId, toSeq: 6 });
    expect(await counts(sessionId)).toBe(ids.map((id, at) => `${id}: ${at < 3 ? at + 1 : 0}`).join(', '));
  });
});

describe('the count', () => {
  it('goes down as turns are rewound, and to 0 as they are cleared', async () => {
    const sessionId = await annAndBot();
    await append(sessionId, as(USER), as(ASSISTANT), as(USER), as(ASSISTANT), as(USER));
    await parley.chat.rewindHistory({ sessionId, toSeq: 2 });
    expect(await counts(sessionId)).toBe('ann: 1, bot: 1');
    await append(sessionId, as(USER, 'ann'), as(USER, 'ann'));
    expect(await counts(sessionId)).toBe('ann: 3, bot: 1');
    await parley.chat.clearHistory({ sessionId });
    expect(await counts(sessionId)).toBe('ann: 0, bot: 0');
    await append(sessionId, as(ASSISTANT));
    expect(await counts(sessionId)).toBe('ann: 0, bot: 1');
  });

  it('is of the turns that are there, in a fork too, of turns that were appended at once', async () => {
    const sessionId = await annAndBot();
    await append(sessionId, as(USER), as(SYSTEM), as(USER, 'bot'), as(USER, 'bot'), as(USER), as(ASSISTANT));
    const [forkId, rest] = [newId(), newId()];
    await parley.sessions.forkSession({ sessionId, newSessionId: forkId, throughSeq: 5 });
    expect(await counts(forkId)).toBe('ann: 2, bot: 2');
    await parley.sessions.forkSession({ sessionId: forkId, newSessionId: rest, throughSeq: 3 });
    expect(await counts(rest)).toBe('ann: 1, bot: 1');
    await parley.chat.rewindHistory({ sessionId: forkId, toSeq: 2 });
    expect(await counts(forkId)).toBe('ann: 1, bot: 0');
    expect(await counts(sessionId)).toBe('ann: 2, bot: 3');
  });

  it('goes down for whom a turn was counted then, not for whom it would be now', async () => {
    const sessionId = await annAndBot();
    await append(sessionId, as(USER), as(USER), as(USER, 'zoe'));
    await unbind(sessionId, 'ann');
    await bind(sessionId, 'ben');
    await bind(sessionId, 'zoe');
    await append(sessionId, as(USER, 'ben'), as(USER, 'zoe'));
    expect(await counts(sessionId)).toBe('ann: 2, bot: 0, ben: 1, zoe: 1');
    await parley.chat.rewindHistory({ sessionId, toSeq: 1 });
    expect(await counts(sessionId)).toBe('ann: 1, bot: 0, ben: 0, zoe: 0');
  });

  it('is in the answers of Bind and Unbind', async () => {
    const sessionId = await annAndBot();
    await append(sessionId, as(USER), as(USER));
    expect((await bind(sessionId, 'ann')).participant!.turnCount).toBe(2);
    expect((await unbind(sessionId, 'ann')).participant!.turnCount).toBe(2);
  });

  it('is exact though participants come and go while many write', async () => {
    const sessionId = await annAndBot();
    const comings = async () => {
      for (let n = 0; n < 10; n++) {
        await bind(sessionId, 'ben');
        await unbind(sessionId, 'ben');
      }
    };
    const says = Array.from({ length: 60 }, (_, n) => append(sessionId, as(USER, n % 2 ? 'ann' : 'bot')));
    await Promise.all([comings(), ...says]);
    expect(await counts(sessionId)).toBe('ann: 30, bot: 30, ben: 0');
  });
});

describe('joined_seq and left_seq', () => {
  it('are the last seq when a participant first came, and when it left', async () => {
    const sessionId = await sessionWith(parley, 3);
    const seqsOf = (participant?: Participant) => [participant!.joinedSeq, participant!.leftSeq];
    expect(seqsOf((await bind(sessionId, 'ann')).participant)).toEqual([3, undefined]);
    await say(parley, sessionId, 4, 5);
    expect(seqsOf((await bind(sessionId, 'ann')).participant)).toEqual([3, undefined]);
    expect(seqsOf((await unbind(sessionId, 'ann')).participant)).toEqual([3, 5]);
    await say(parley, sessionId, 6);
    expect(seqsOf((await rows(sessionId))[0])).toEqual([3, 5]);
    expect(seqsOf((await bind(sessionId, 'ann')).participant)).toEqual([3, undefined]);
  });

  it('are of the turns that are kept', async () => {
    const sessionId = await sessionWith(parley, 5);
    await parley.chat.rewindHistory({ sessionId, toSeq: 2 });
    expect((await bind(sessionId, 'ann')).participant).toMatchObject({ joinedSeq: 2 });
    await parley.chat.clearHistory({ sessionId });
    expect((await unbind(sessionId, 'ann')).participant).toMatchObject({ joinedSeq: 2, leftSeq: 0 });
  });
});
