/**
 * `npm run bench`: what Parley costs, measured from outside over gRPC, against servers it starts itself.
 *
 * Speed is told as ratios, because a ratio to a bare grpc-js server of the same bytes means the same on any machine:
 * both sides meet the same load generator, turn about, and the median of the pairwise ratios counts. Prints a table,
 * writes `bench.json`, and exits with 1 when a target is missed or any single call failed.
 *
 *   --only get,patch   these scenarios: memory, get, create, patch, callers, append, append-length, append-writers,
 *                      list-turns, follow, follow-memory, chat-first-token, chat-tokens, chat-resume, chat-context, list
 *   --quick            100,000 sessions instead of 1,000,000, and fewer and shorter rounds: for a first look
 *   --sessions N       how many sessions the larger listing is over, a multiple of 1,000
 *   --rounds N         rounds of each side; --seconds S: how long each lasts
 *   --connections N    of the load generator, where a scenario does not say; --callers N: calls in flight over all
 *   --dir PATH         where data directories are made, on the disk to measure; default: the system's for temporaries
 */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { LoadGenerator } from './load.ts';
import { passes, printTable, type Row, writeJson } from './report.ts';
import { append } from './scenarios/append.ts';
import { appendLength } from './scenarios/append_length.ts';
import { appendWriters } from './scenarios/append_writers.ts';
import { callers } from './scenarios/callers.ts';
import { chatContext } from './scenarios/chat_context.ts';
import { chatFirstToken } from './scenarios/chat_first_token.ts';
import { chatResume } from './scenarios/chat_resume.ts';
import { chatTokens } from './scenarios/chat_tokens.ts';
import { create } from './scenarios/create.ts';
import { createDocument } from './scenarios/create_document.ts';
import { follow } from './scenarios/follow.ts';
import { followMemory } from './scenarios/follow_memory.ts';
import { get } from './scenarios/get.ts';
import { list } from './scenarios/list.ts';
import { listTurns } from './scenarios/list_turns.ts';
import { memory } from './scenarios/memory.ts';
import { patch } from './scenarios/patch.ts';
import { searchDocuments } from './scenarios/search_documents.ts';
import type { Scenario, Stage } from './stage.ts';

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  memory,
  get,
  create,
  patch,
  callers,
  append,
  'append-length': appendLength,
  'append-writers': appendWriters,
  'list-turns': listTurns,
  follow,
  'follow-memory': followMemory,
  'chat-first-token': chatFirstToken,
  'chat-tokens': chatTokens,
  'chat-resume': chatResume,
  'chat-context': chatContext,
  list,
  'create-document': createDocument,
  'search-documents': searchDocuments,
};

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    sessions: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string', default: '4' },
    callers: { type: 'string', default: '64' },
    dir: { type: 'string', default: tmpdir() },
  },
});

const usual = flags.quick
  ? { sessions: 100_000, rounds: 3, seconds: 1 }
  : { sessions: 1_000_000, rounds: 5, seconds: 3 };
const options = {
  only: flags.only?.split(',') ?? Object.keys(SCENARIOS),
  quick: flags.quick,
  sessions: number('sessions') ?? usual.sessions,
  rounds: number('rounds') ?? usual.rounds,
  seconds: number('seconds') ?? usual.seconds,
  connections: number('connections')!,
  callers: number('callers')!,
};

/** A flag's number; undefined when it is not set. */
function number(flag: 'sessions' | 'rounds' | 'seconds' | 'connections' | 'callers'): number | undefined {
  const text = flags[flag];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${flag} takes a number above 0, not '${text}'`);
  return value;
}

async function main(): Promise<void> {
  const unknown = options.only.find((name) => !Object.hasOwn(SCENARIOS, name));
  if (unknown !== undefined)
    throw new Error(`no scenario '${unknown}': ${Object.keys(SCENARIOS).join(', ')}`);
  if (options.sessions % 1000 !== 0) throw new Error('--sessions takes a multiple of 1,000');
  using generator = new LoadGenerator();
  // Without its generator the scenario fails, and so takes its servers and their data with it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => generator[Symbol.dispose]());
  const { sessions, connections, callers, rounds, seconds } = options;
  const pace = { rounds, seconds, warmUpSeconds: seconds / 4 };
  const say = (line: string) => console.error(line);
  const stage: Stage = { generator, pace, sessions, connections, callers, folder: flags.dir, say };

  const rows: Row[] = [];
  const details: Record<string, unknown> = {};
  for (const name of options.only) {
    say(`${name} …`);
    const findings = await SCENARIOS[name]!(stage);
    rows.push(...findings.rows);
    details[name] = findings.details;
  }

  printTable(rows);
  writeJson('bench.json', options, rows, details);
  if (options.quick)
    console.log(`Quick: ${sessions.toLocaleString('en')} sessions in the larger listing, short rounds.`);
  const missed = rows.filter((row) => !passes(row));
  for (const { scenario, unit } of missed) console.log(`Missed: ${scenario} (${unit})`);
  if (missed.length > 0) process.exitCode = 1;
}

await main();
