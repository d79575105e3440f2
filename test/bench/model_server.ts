/**
 * A model's endpoint without a model: bare node:http that streams OpenAI's chat completions. It goes in steps, as
 * servers of models do that batch: each step writes the next token of every answer under way, an event and a write of
 * its own for each. A reader who is behind is waited for. Nothing is worked out but what is written: the events are
 * the same ones every time.
 *
 * argv[2] is a JSON file, a {@link ModelScript}. Prints `model listening on 127.0.0.1:<port>`.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readScript } from './bare_server.ts';
import { MODEL, type ModelScript, TOKEN_BYTES } from './model.ts';

/** Words of common English, a token each. */
const WORDS = [
  'that',
  'with',
  'have',
  'this',
  'will',
  'your',
  'from',
  'they',
  'know',
  'want',
  'been',
  'good',
];

/** An answer under way. */
interface Answer {
  readonly response: ServerResponse;
  written: number;
  /** When the next token is due, by `performance.now()`. */
  dueAt: number;
}

const { tokens, everyMs } = readScript<ModelScript>();
const CHUNK = {
  id: 'chatcmpl-BZqN0c8nU4k2x7wV5tYpLm3sRjQ9e',
  object: 'chat.completion.chunk',
  created: 1_750_000_000,
  model: MODEL,
  service_tier: 'default',
  system_fingerprint: 'fp_51e1070cf2',
};
const usage = { prompt_tokens: 20, completion_tokens: tokens, total_tokens: 20 + tokens };
const opening = delta({ role: 'assistant', content: '', refusal: null });
const words = WORDS.map((word) => delta({ content: ` ${word}` }));
const ending = Buffer.concat([
  delta({}, 'stop'),
  event({ ...CHUNK, choices: [], usage }),
  Buffer.from('data: [DONE]\n\n'),
]);
if (WORDS.some((word) => word.length + 1 !== TOKEN_BYTES)) throw new Error('tokens of different sizes');

const answers = new Set<Answer>();
let stepping = false;

function delta(said: object, finish_reason: string | null = null): Buffer {
  const choices = [{ index: 0, delta: said, logprobs: null, finish_reason }];
  return event({ ...CHUNK, choices, usage: null });
}

function event(chunk: object): Buffer {
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write(opening);
  const answer = { response, written: 0, dueAt: performance.now() };
  answers.add(answer);
  response.on('close', () => answers.delete(answer));
  if (!stepping) step();
}

function step(): void {
  const now = performance.now();
  for (const answer of answers) {
    if (answer.dueAt <= now && !answer.response.writableNeedDrain) say(answer);
  }
  stepping = answers.size > 0;
  if (!stepping) return;
  if (everyMs === 0) setImmediate(step);
  else setTimeout(step, 1);
}

function say(answer: Answer): void {
  answer.response.write(words[answer.written % words.length]);
  answer.dueAt += everyMs;
  if (++answer.written < tokens) return;
  answers.delete(answer);
  answer.response.end(ending);
}

const server = createServer((request, response) => {
  request.resume(); // what is asked does not matter, but that it is all there
  request.on('end', () => begin(response));
});
server.keepAliveTimeout = 0; // whoever asks decides how long a connection is kept
server.listen(0, '127.0.0.1', () => {
  console.log(`model listening on 127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
