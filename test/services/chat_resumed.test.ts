import { describe, expect, it } from 'vitest';
import { newId, startParley } from '../harness.ts';
import { delta, ending, text } from '../models/endpoint.ts';
import { failure, refusal, resource } from '../refusal.ts';
import { Answer, chat, held, resume, textOf, told, useEndpoint } from './answers.ts';
import { numbers, sessionWith } from './turns.ts';

const { parley, endpoint } = useEndpoint();
const HELLO = [{ content: 'hello' }];

/** A run that says some lines, each an event of its own, and is then held. */
async function answering(lines: number) {
  const gates = numbers(1, lines + 1).map(() => Promise.withResolvers<void>());
  endpoint.answersOnce(
    (async function* () {
      for (const n of numbers(1, lines)) {
        yield delta({ content: `${n} ` });
        await gates[n - 1]!.promise;
      }
      await gates[lines]!.promise;
      yield* ending();
    })(),
  );
  const sessionId = await sessionWith(parley, 0);
  const answer = Answer.to(parley, { sessionId, messages: HELLO });
  for (const n of numbers(1, lines)) {
    await answer.heard(`${n} `);
    if (n < lines) gates[n - 1]!.resolve();
  }
  const letGo = () => {
    for (const gate of gates) gate.resolve();
  };
  return { sessionId, answer, runId: answer.runId, letGo };
}

/** What all who ask for a run are refused with. */
function refusals(run: { namespace?: string; sessionId: string; runId: string }): Promise<string[]> {
  const calls = [resume(parley, run), parley.chat.getRun(run), parley.chat.cancelChat(run)];
  return Promise.all(calls.map(refusal));
}

describe('a run that ended', () => {
  it('is resumed after each of its offsets', async () => {
    const { sessionId, answer, runId, letGo } = await answering(5);
    letGo();
    const events = await answer.rest();
    expect(events).toHaveLength(7);
    for (const afterOffset of numbers(0, 6))
      expect(await resume(parley, { sessionId, runId, afterOffset })).toEqual(events.slice(afterOffset));
    expect(await resume(parley, { sessionId, runId, afterOffset: 7 })).toEqual([]);
  });

  it('is resumed on a server that knows nothing of it', async () => {
    const sessionId = await sessionWith(parley, 0);
    const events = await chat(parley, { sessionId, messages: HELLO });
    const second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
    expect(await resume(second, { sessionId, runId: events[0]!.runId })).toEqual(events);
    await second.stop();
  });

  it('has no events beyond its last', async () => {
    const sessionId = await sessionWith(parley, 0);
    const [{ runId } = { runId: '' }] = await chat(parley, { sessionId, messages: HELLO });
    for (const afterOffset of [99, 4_294_967_295])
      expect(await refusal(resume(parley, { sessionId, runId, afterOffset }))).toBe(
        'INVALID_ARGUMENT FIELD_INVALID after_offset',
      );
  });

  it('of a megabyte is resumed as it was told', async () => {
    const said = 'lorem ipsum '.repeat(90_000);
    endpoint.answersOnce(text(said));
    const sessionId = await sessionWith(parley, 0);
    const events = await chat(parley, { sessionId, messages: HELLO });
    expect(textOf(events)).toBe(said);
    expect(await resume(parley, { sessionId, runId: events[0]!.runId })).toEqual(events);
    const half = Math.floor(events.length / 2);
    const rest = await resume(parley, { sessionId, runId: events[0]!.runId, afterOffset: half });
    expect(rest).toEqual(events.slice(half));
  });
});

describe('a run that answers', () => {
  it('is resumed after each offset, by several at once, and told to its end', async () => {
    const { sessionId, answer, runId, letGo } = await answering(4);
    const followers = [];
    for (const afterOffset of [0, 0, 1, 2, 3, 4, 5])
      followers.push({ afterOffset, follower: Answer.resumed(parley, { sessionId, runId, afterOffset }) });
    for (const { afterOffset, follower } of followers)
      for (const n of numbers(afterOffset + 1, 5)) expect((await follower.next()).offset).toBe(n);
    letGo();
    const events = await answer.rest();
    for (const { afterOffset, follower } of followers)
      expect(await follower.rest()).toEqual(events.slice(afterOffset));
  });

  it('has no events beyond its last so far', async () => {
    const { sessionId, answer, runId, letGo } = await answering(1);
    const refused = await refusal(resume(parley, { sessionId, runId, afterOffset: 3 }));
    expect(refused).toBe('INVALID_ARGUMENT FIELD_INVALID after_offset');
    letGo();
    await answer.rest();
  });

  it('goes on when all who listened are gone', async () => {
    const { sessionId, answer, runId, letGo } = await answering(2);
    const other = Answer.resumed(parley, { sessionId, runId });
    await other.next();
    answer.leave();
    other.leave();
    letGo();
    expect(told(await resume(parley, { sessionId, runId }))).toEqual([
      'started',
      'text 1 2 ',
      'completed STOP',
    ]);
  });
});

describe('a run that is not there', () => {
  it.each([
    ['an unknown one', 'run'],
    ['an odd one', `\u{1f600}}{ \n"'\\ *[?]\u0000`.repeat(6)],
    ['a new one', '99999999-ffff-7fff-bfff-ffffffffffff'],
  ])('%s is RUN_NOT_FOUND', async (_, runId) => {
    const sessionId = await sessionWith(parley, 1);
    for (const why of await refusals({ sessionId, runId })) expect(why).toBe('NOT_FOUND RUN_NOT_FOUND');
  });

  it('is named', async () => {
    const error = await failure(resume(parley, { sessionId: await sessionWith(parley, 1), runId: 'r' }));
    expect(resource(error)).toBe('parley.v1.Run r');
  });

  it('but may have been, to judge by its id, is RUN_EVENTS_EXPIRED', async () => {
    const sessionId = await sessionWith(parley, 1);
    const runId = '01890000-0000-7000-8000-000000000000';
    for (const why of await refusals({ sessionId, runId }))
      expect(why).toBe('OUT_OF_RANGE RUN_EVENTS_EXPIRED');
  });

  it.each(['', 'r'.repeat(129)])('%j is no id of one', async (runId) => {
    const sessionId = await sessionWith(parley, 1);
    expect(await refusal(resume(parley, { sessionId, runId }))).toBe('INVALID_ARGUMENT FIELD_INVALID run_id');
  });

  it('is one of another session, or of another namespace', async () => {
    const { sessionId, answer, runId, letGo } = await answering(1);
    const other = await sessionWith(parley, 1);
    const namespace = newId();
    await parley.sessions.createSession({ namespace, sessionId });
    for (const elsewhere of [{ sessionId: other }, { sessionId, namespace }]) {
      for (const why of await refusals({ ...elsewhere, runId })) expect(why).toBe('NOT_FOUND RUN_NOT_FOUND');
    }
    letGo();
    expect(told(await answer.rest())).toContain('completed STOP');
  });

  it('is one of a session that is not there, or deleted', async () => {
    const sessionId = await sessionWith(parley, 0);
    const [{ runId } = { runId: '' }] = await chat(parley, { sessionId, messages: HELLO });
    for (const why of await refusals({ sessionId: newId(), runId }))
      expect(why).toBe('NOT_FOUND SESSION_NOT_FOUND');
    await parley.sessions.deleteSession({ sessionId });
    expect(await refusal(resume(parley, { sessionId, runId }))).toBe('NOT_FOUND SESSION_DELETED');
    expect(await refusal(parley.chat.getRun({ sessionId, runId }))).toBe('NOT_FOUND SESSION_DELETED');
    await parley.sessions.undeleteSession({ sessionId });
    expect(told(await resume(parley, { sessionId, runId }))).toContain('completed STOP');
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    await parley.sessions.createSession({ sessionId });
    expect(await refusal(resume(parley, { sessionId, runId }))).toBe('NOT_FOUND RUN_NOT_FOUND');
  });
});

it('an answer that nobody ever heard is there to be resumed', async () => {
  const sessionId = await sessionWith(parley, 0);
  const { written, letGo } = held('', 'all of it');
  endpoint.answersOnce(written);
  const answer = Answer.to(parley, { sessionId, messages: HELLO });
  const { runId } = await answer.next();
  answer.leave();
  letGo();
  expect(told(await resume(parley, { sessionId, runId }))).toEqual([
    'started',
    'text all of it',
    'completed STOP',
  ]);
});
