import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { BadRequestSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { ParticipantKind, type SessionSchema } from '../../gen/parley/v1/session_service_pb.ts';
import { childrenOf } from '../bench/processes.ts';
import { newId, useParley } from '../harness.ts';
import { failure, refusal } from '../refusal.ts';

const parley = useParley();

const GOOD = 'You are {{ agent.display_name }}.';
const BAD = 'Dear {{ user.display_name,\n{{ now }';
const PLACE = 'line 1, column 26: expected }}, found ,';

async function create(session: MessageInitShape<typeof SessionSchema>): Promise<string> {
  const sessionId = newId();
  await parley.sessions.createSession({ sessionId, session });
  return sessionId;
}

function agent(participantId: string, instructions: string) {
  return { participantId, kind: ParticipantKind.AGENT, instructions };
}

const bind = (sessionId: string, instructions: string) =>
  parley.sessions.bindParticipant({ sessionId, participant: agent('ada', instructions) });

/** What the caller reads of the one field that was refused. */
async function described(call: Promise<unknown>): Promise<string> {
  const violations = (await failure(call))
    .findDetails(BadRequestSchema)
    .flatMap((bad) => bad.fieldViolations);
  return violations.map(({ field, description }) => `${field}: ${description}`).join();
}

describe('a template that does not compile is refused when it is written', () => {
  test('as the situation of a new session, which is not created', async () => {
    const sessionId = newId();
    const call = () =>
      parley.sessions.createSession({ sessionId, session: { renderTemplates: true, situation: BAD } });
    expect(await refusal(call())).toBe('INVALID_ARGUMENT TEMPLATE_INVALID session.situation');
    expect(await described(call())).toBe(`session.situation: ${PLACE}`);
    expect(await refusal(parley.sessions.getSession({ sessionId }))).toContain('SESSION_NOT_FOUND');
  });

  test('as the instructions of one of its participants', async () => {
    const participants = [agent('bob', GOOD), agent('ada', BAD)];
    const call = parley.sessions.createSession({ session: { renderTemplates: true, participants } });
    expect(await described(call)).toBe(`session.participants[1].instructions: ${PLACE}`);
  });

  test('as a new situation, and the old one stays', async () => {
    const sessionId = await create({ renderTemplates: true, situation: GOOD });
    const update = { sessionId, session: { situation: BAD } };
    expect(await described(parley.sessions.updateSession(update))).toBe(`session.situation: ${PLACE}`);
    expect((await parley.sessions.getSession({ sessionId })).session?.situation).toBe(GOOD);
  });

  test('as the instructions of somebody who is bound', async () => {
    const sessionId = await create({ renderTemplates: true });
    expect(await refusal(bind(sessionId, BAD))).toBe(
      'INVALID_ARGUMENT TEMPLATE_INVALID participant.instructions',
    );
    expect((await bind(sessionId, GOOD)).created).toBe(true);
  });

  test('and a retry of a refused call may come with a better one', async () => {
    const requestId = newId();
    const sessionId = newId();
    const call = (situation: string) =>
      parley.sessions.createSession({ sessionId, requestId, session: { renderTemplates: true, situation } });
    expect(await refusal(call(BAD))).toContain('TEMPLATE_INVALID');
    const { session } = await call(GOOD);
    expect((await call(GOOD)).session?.etag).toBe(session?.etag);
  });
});

describe('without render_templates', () => {
  test('braces are text like any other', async () => {
    const sessionId = await create({ situation: BAD, participants: [agent('bob', BAD)] });
    await bind(sessionId, BAD);
    const { session } = await parley.sessions.updateSession({ sessionId, session: { situation: `${BAD}!` } });
    expect(session?.participants.map(({ instructions }) => instructions)).toEqual([BAD, BAD]);
  });

  test('turning it on checks what is there', async () => {
    const turnOn = (sessionId: string, situation?: string) =>
      parley.sessions.updateSession({
        sessionId,
        session: { renderTemplates: true, ...(situation && { situation }) },
      });
    const bySituation = await create({ situation: BAD });
    expect(await described(turnOn(bySituation))).toBe(`session.render_templates: situation: ${PLACE}`);
    expect((await turnOn(bySituation, GOOD)).session?.renderTemplates).toBe(true);

    const byInstructions = await create({ situation: GOOD, participants: [agent('ada', BAD)] });
    expect(await described(turnOn(byInstructions))).toBe(
      `session.render_templates: instructions of ada: ${PLACE}`,
    );
    await parley.sessions.unbindParticipant({ sessionId: byInstructions, participantId: 'ada' });
    expect((await turnOn(byInstructions)).session?.renderTemplates).toBe(true);
    expect(await refusal(bind(byInstructions, BAD))).toContain('TEMPLATE_INVALID');
  });

  test('turning it off sets them free', async () => {
    const sessionId = await create({ renderTemplates: true, situation: GOOD });
    const { session } = await parley.sessions.updateSession({
      sessionId,
      session: { situation: BAD },
      updateMask: { paths: ['situation', 'render_templates'] },
    });
    expect(session).toMatchObject({ situation: BAD, renderTemplates: false });
  });
});

describe('while a namespace has many templates rendered', () => {
  /** Takes a tenth of a second or so. */
  const COSTLY = '{% for i in range(25000) %}{% set x = range(9) %}{% endfor %}';
  /** Compiles, and takes its process with it when it is rendered. */
  const DEADLY = '{{ ("a\nb\nc" | indent(170000000)) | upper | length }}';
  const NUMBER = 20;
  const messages = [{ content: 'hi' }];

  /** Begins as many, all in one session; returns when the first of them is done, and the others wait. */
  async function crowd(namespace: string) {
    const sessionId = newId();
    await parley.sessions.createSession({
      namespace,
      sessionId,
      session: { renderTemplates: true, situation: COSTLY },
    });
    const state = { done: 0 };
    const all = Array.from({ length: NUMBER }, () =>
      parley.chat.getContext({ namespace, sessionId, messages }).finally(() => state.done++),
    );
    await Promise.race(all);
    return { state, over: Promise.all(all) };
  }

  test('another is served before most of them', async () => {
    const sessionId = await create({ renderTemplates: true, situation: GOOD });
    const { state, over } = await crowd(newId());
    await parley.chat.getContext({ sessionId, messages });
    expect(state.done).toBeLessThan(NUMBER / 2);
    await over;
  });

  test('none is rendered or compiled for a caller whose deadline passes first', async () => {
    const namespace = newId();
    const sessionId = newId();
    const deadly = { renderTemplates: true, situation: DEADLY };
    await parley.sessions.createSession({ namespace, sessionId, session: deadly });
    const { over } = await crowd(namespace);
    const processes = childrenOf(process.pid);
    const soon = { timeoutMs: 300 };
    const where = { namespace, sessionId };
    const hopeless = { renderTemplates: true, situation: `${' '.repeat(60_000)}{{ 1 }}` };
    const calls = [
      parley.chat.getContext({ ...where, messages }, soon),
      Array.fromAsync(parley.chat.chat({ ...where, messages }, soon)),
      parley.sessions.createSession({ namespace, session: hopeless }, soon),
      parley.sessions.updateSession({ ...where, session: hopeless }, soon),
    ];
    const answers = await Promise.all(calls.map((call) => failure(call)));
    expect(answers.map(({ code }) => Code[code])).toEqual(Array(4).fill('DeadlineExceeded'));
    await over;
    await parley.sessions.createSession({ namespace, session: { renderTemplates: true, situation: GOOD } });
    expect(childrenOf(process.pid)).toEqual(processes);
  });
});

test('a hostile template holds nobody up but itself', async () => {
  const session = { renderTemplates: true, situation: `${' '.repeat(60_000)}{{ 1 }}` };
  const [hostile, others] = await Promise.all([
    described(parley.sessions.createSession({ session })),
    create({ renderTemplates: true, situation: GOOD }),
  ]);
  expect(hostile).toContain('session.situation: line 1, column 1: takes too much time');
  expect((await parley.sessions.getSession({ sessionId: others })).session?.situation).toBe(GOOD);
});
