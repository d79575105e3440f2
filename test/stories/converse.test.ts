import { expect, it } from 'vitest';
import { Concurrency } from '../../gen/parley/v1/chat_service_pb.ts';
import type { Clients } from '../harness.ts';
import { delta, hanging, text } from '../models/endpoint.ts';
import { Talk } from '../services/conversation.ts';
import { activeRun, logOf } from './chat_records.ts';
import { hungUp, newSession, nextAnswer, setStage } from './chat_stage.ts';

const MESSAGES = 10;
const ENQUEUE = { concurrency: Concurrency.ENQUEUE };

it('conversations of one session on two processes are answered in turn, each what was said in it', async () => {
  const { endpoint, one, two } = await setStage();
  endpoint.answers(({ body }) => text(`To ${body.messages.at(-1).content}`));
  const sessionId = await newSession(one);
  const converse = async (server: Clients, who: string) => {
    const talk = Talk.open(server, sessionId, ENQUEUE);
    const said = Array.from({ length: MESSAGES }, (_, n) => `${who} ${n}`);
    for (const content of said) talk.say(content);
    for (const content of said) {
      const answer = await talk.answer();
      expect(answer.map((line) => line.replace('text ', '')).join('')).toBe(
        `startedTo ${content}completed STOP`,
      );
    }
    expect(await talk.close().isOver()).toBe(true);
    return said;
  };
  const said = await Promise.all([converse(one, 'ann'), converse(two, 'bob'), converse(two, 'cyd')]);

  const log = (await logOf(two, sessionId)).map((line) => line.replace(/^\d+ /, ''));
  const asked = log.filter((line) => line.startsWith('USER'));
  expect(log).toEqual(asked.flatMap((line) => [line, line.replace('USER', 'ASSISTANT To')]));
  for (const own of said) {
    const order = asked.map((line) => line.slice(5)).filter((line) => own.includes(line));
    expect(order).toEqual(own);
  }
});

it('a message on one process interrupts the answer on the other, whose conversation goes on', async () => {
  const { endpoint, one, two } = await setStage();
  const sessionId = await newSession(one);
  endpoint.answersOnce(hanging([delta({ content: 'Once upon' })]));
  const talk = Talk.open(one, sessionId).say('A story, please.');
  await talk.until('Once upon');
  const [request] = endpoint.requests;

  endpoint.answersOnce(text('Done.'));
  const other = Talk.open(two, sessionId, { concurrency: Concurrency.INTERRUPT }).say('Stop that.');
  expect(await talk.answer()).toEqual(['cancelled']);
  await hungUp(request!);
  expect(await other.answer()).toEqual(['started', 'text Done.', 'completed STOP']);

  endpoint.answersOnce(text('Sorry.'));
  expect(await talk.say('Was it bad?').answer()).toEqual(['started', 'text Sorry.', 'completed STOP']);
  for (const each of [talk, other]) expect(await each.close().isOver()).toBe(true);
  expect(await logOf(two, sessionId)).toEqual([
    '1 USER A story, please.',
    '2 ASSISTANT PARTIAL CANCELLED Once upon',
    '3 USER Stop that.',
    '4 ASSISTANT Done.',
    '5 USER Was it bad?',
    '6 ASSISTANT Sorry.',
  ]);
});

it('when a process is killed in the middle of a conversation, the one on the other is answered next', async () => {
  const stage = await setStage({ PARLEY_RUN_LEASE: '1s' });
  const { one, two } = stage;
  const sessionId = await newSession(one);
  const lost = nextAnswer(stage.endpoint);
  const talk = Talk.open(one, sessionId).say('Who are you?');
  lost.say('I am');
  await talk.until('I am');
  const waits = Talk.open(two, sessionId, ENQUEUE).say('Hello?').say('Still here?');
  one.process.kill('SIGKILL');
  expect(await talk.end()).toMatch(/^(UNAVAILABLE|ABORTED|CANCELLED|INTERNAL) \(/);

  stage.endpoint.answers(({ body }) => text(`To ${body.messages.at(-1).content}`));
  for (const content of ['Hello?', 'Still here?']) {
    const answer = await waits.answer();
    expect([answer[0], answer.at(-1)]).toEqual(['started', 'completed STOP']);
    expect(
      answer
        .slice(1, -1)
        .map((line) => line.replace('text ', ''))
        .join(''),
    ).toBe(`To ${content}`);
  }
  expect(await waits.close().isOver()).toBe(true);
  expect(await activeRun(two, sessionId)).toBe('');
  expect(await logOf(two, sessionId)).toEqual([
    '1 USER Who are you?',
    '2 ASSISTANT PARTIAL ERROR I am',
    '3 USER Hello?',
    '4 ASSISTANT To Hello?',
    '5 USER Still here?',
    '6 ASSISTANT To Still here?',
  ]);
});
