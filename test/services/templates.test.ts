import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { BadRequestSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { ParticipantKind, type SessionSchema } from '../../gen/parley/v1/session_service_pb.ts';
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

test('a hostile template holds nobody up but itself', async () => {
  const session = { renderTemplates: true, situation: `${' '.repeat(60_000)}{{ 1 }}` };
  const [hostile, others] = await Promise.all([
    described(parley.sessions.createSession({ session })),
    create({ renderTemplates: true, situation: GOOD }),
  ]);
  expect(hostile).toContain('session.situation: line 1, column 1: takes too much time');
  expect((await parley.sessions.getSession({ sessionId: others })).session?.situation).toBe(GOOD);
});
