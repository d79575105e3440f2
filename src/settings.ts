/** The one table of settings: environment variable, default, meaning. `npm start -- --help` prints it. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import ms from 'ms';
import { StartError } from './errors.ts';
import type { Milliseconds } from './sessions/session.ts';

export interface Settings {
  readonly addresses: readonly string[];
  readonly redisUrl: string | undefined;
  readonly redisServer: string | undefined;
  readonly redisModules: string | undefined;
  readonly dataDir: string;
  readonly keyPrefix: string;
  readonly defaultModel: string;
  readonly summaryModel: string;
  readonly embeddingModel: string | undefined;
  readonly openaiBaseUrl: string | undefined;
  readonly openaiApiKey: string | undefined;
  readonly insecure: boolean;
  readonly logLevel: string;
  readonly shutdownGrace: Milliseconds;
  readonly deletedRetention: Milliseconds;
  readonly runLease: Milliseconds;
}

interface Setting<T> {
  readonly env: string;
  /** As one would write it; shown in brackets when it is not a value. */
  readonly byDefault: string;
  readonly meaning: string;
  /** Throws with what is wrong. `undefined`: not set. */
  readonly read: (text: string | undefined) => T;
}

/** A setting that cannot be; its message names it. */
export class SettingError extends StartError {}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** As read, each by itself; what is undefined may take its value from another. */
type Read = Omit<Settings, 'summaryModel'> & { readonly summaryModel: string | undefined };

const TABLE: { readonly [K in keyof Read]: Setting<Read[K]> } = {
  addresses: {
    env: 'PARLEY_ADDRESS',
    byDefault: '127.0.0.1:50051',
    meaning: 'where to listen; port 0 picks one; several, comma-separated',
    read: (text = '127.0.0.1:50051') => text.split(',').map(address),
  },
  redisUrl: {
    env: 'REDIS_URL',
    byDefault: '(embedded)',
    meaning: 'redis://, rediss:// or the path of a Unix socket; unset starts a private Redis',
    read: (text) => text && redisUrl(text),
  },
  redisServer: {
    env: 'PARLEY_REDIS_SERVER',
    byDefault: '(found)',
    meaning: 'the redis-server to start',
    read: (text) => text,
  },
  redisModules: {
    env: 'PARLEY_REDIS_MODULES',
    byDefault: '(found)',
    meaning: 'a folder with its modules, rejson.so and redisearch.so',
    read: (text) => text,
  },
  dataDir: {
    env: 'PARLEY_DATA_DIR',
    byDefault: './data',
    meaning: "the private Redis's data",
    read: (text = './data') => text,
  },
  keyPrefix: {
    env: 'PARLEY_KEY_PREFIX',
    byDefault: 'parley',
    meaning: 'first part of every key and index name',
    read: (text = 'parley') => matching(text, /^[A-Za-z0-9_.-]{1,64}$/, '1 to 64 letters, digits, _ . -'),
  },
  defaultModel: {
    env: 'PARLEY_MODEL',
    byDefault: 'echo',
    meaning: 'the model that answers; `echo` is built in and says the last message back',
    read: (text = 'echo') => modelName(text),
  },
  summaryModel: {
    env: 'PARLEY_SUMMARY_MODEL',
    byDefault: '(PARLEY_MODEL)',
    meaning: 'the model that summarises what no longer fits, and learns where no other is named',
    read: (text) => text && modelName(text),
  },
  embeddingModel: {
    env: 'PARLEY_EMBEDDING_MODEL',
    byDefault: '(none)',
    meaning: 'the model that tells which documents mean the same; none finds them by their words',
    read: (text) => text && modelName(text),
  },
  openaiBaseUrl: {
    env: 'OPENAI_BASE_URL',
    byDefault: '(OpenAI)',
    meaning:
      'the endpoint of every other model, such as http://127.0.0.1:11434/v1; any OpenAI-compatible one',
    read: (text) => text && endpointUrl(text),
  },
  openaiApiKey: {
    env: 'OPENAI_API_KEY',
    byDefault: '(none)',
    meaning: 'its key',
    read: (text) => text && secret(text),
  },
  insecure: {
    env: 'PARLEY_INSECURE',
    byDefault: 'false',
    meaning: 'true listens beyond loopback without credentials and TLS (also --insecure)',
    read: (text = 'false') =>
      matching(text, /^(true|false|1|0)$/, 'true or false').match(/^(true|1)$/) !== null,
  },
  logLevel: {
    env: 'PARLEY_LOG_LEVEL',
    byDefault: 'info',
    meaning: LOG_LEVELS.join(', '),
    read: (text = 'info') =>
      matching(text, new RegExp(`^(${LOG_LEVELS.join('|')})$`), `one of ${LOG_LEVELS.join(', ')}`),
  },
  shutdownGrace: {
    env: 'PARLEY_SHUTDOWN_GRACE',
    byDefault: '10s',
    meaning: 'how long calls may go on after SIGTERM; at most 1d',
    read: (text = '10s') => atMostADay(span(text)),
  },
  deletedRetention: {
    env: 'PARLEY_DELETED_RETENTION',
    byDefault: '30d',
    meaning: 'how long a deleted session is kept before it is purged',
    read: (text = '30d') => span(text),
  },
  runLease: {
    env: 'PARLEY_RUN_LEASE',
    byDefault: '10s',
    meaning:
      'how long an answer is held to be under way when the server that gives it falls silent; 1s to 1d',
    read: (text = '10s') => atMostADay(atLeast(1000, span(text), '1s')),
  },
};

/** Reads the settings; throws SettingError naming the first that is wrong. An empty variable counts as unset. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const entries = Object.entries(TABLE).map(([name, setting]) => {
    try {
      return [name, setting.read(env[setting.env] || undefined)];
    } catch (error) {
      throw new SettingError(`${setting.env}: ${(error as Error).message}`);
    }
  });
  const read = Object.fromEntries(entries) as Read;
  const settings = { ...read, summaryModel: read.summaryModel ?? read.defaultModel };
  const exposed = settings.addresses.find((address) => !isLoopback(address));
  if (exposed && !settings.insecure) {
    throw new SettingError(
      `PARLEY_ADDRESS: ${exposed} is reachable from elsewhere, and this version has neither credentials nor TLS; PARLEY_INSECURE=true says that the network keeps others out`,
    );
  }
  return settings;
}

/** Variables that are named like settings and are none: misspelt, or of another version. */
export function unknownSettings(env: NodeJS.ProcessEnv): string[] {
  const known = new Set(Object.values(TABLE).map((setting) => setting.env));
  return Object.keys(env).filter((name) => name.startsWith('PARLEY_') && !known.has(name));
}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  insecure: { type: 'boolean' },
} satisfies ParseArgsConfig['options'];

/** What the command line says; throws SettingError on anything unknown. */
export function readArguments(args: string[]): { help: boolean; insecure: boolean } {
  try {
    const { help = false, insecure = false } = parseArgs({ args, options: OPTIONS }).values;
    return { help, insecure };
  } catch (error) {
    throw new SettingError((error as Error).message);
  }
}

export function helpText(): string {
  const rows = Object.values(TABLE).map(
    ({ env, byDefault, meaning }) => `  ${env.padEnd(25)} ${byDefault.padEnd(17)} ${meaning}`,
  );
  return [
    'Parley keeps the sessions of AI agents: gRPC in front, Redis behind.',
    '',
    'Usage: npm start [-- --help | --insecure]',
    '',
    'Settings, from the environment or a .env file here:',
    ...rows,
  ].join('\n');
}

function address(text: string): string {
  const expected = 'host:port, such as 127.0.0.1:50051 or [::1]:50051';
  const address = matching(text.trim(), /^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, expected);
  if (Number(address.slice(address.lastIndexOf(':') + 1)) > 65_535)
    throw new Error('a port is at most 65535');
  return address;
}

function redisUrl(text: string): string {
  return matching(
    text,
    /^(rediss?:\/\/|\/)./,
    'redis://host:port, rediss://host:port or the path of a Unix socket',
  );
}

function modelName(text: string): string {
  return matching(text, /^[^\s\p{C}]{1,256}$/u, 'the name of a model');
}

/** An address may hold a password: it is not repeated. */
function endpointUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new Error('not an http:// or https:// address');
  if (url.username || url.password) throw new Error('no place for credentials; OPENAI_API_KEY is');
  if (url.search || url.hash) throw new Error('an address to which paths are added can have neither ? nor #');
  return text;
}

/** What a header can carry. Says nothing of what it is. */
function secret(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new Error('a key is made of printable ASCII characters, without spaces');
  return text;
}

function isLoopback(address: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):/.test(address);
}

function span(text: string): Milliseconds {
  // `ms` takes a number alone for milliseconds, and nobody means thirty of those by 30.
  const span = /^\d+(\.\d+)? *[a-z]+$/i.test(text) ? ms(text as ms.StringValue) : undefined;
  if (span === undefined || !Number.isFinite(span))
    throw new Error(`${JSON.stringify(text)} is no span such as 10s, 5m, 30d`);
  return span;
}

function atLeast(least: Milliseconds, span: Milliseconds, named: string): Milliseconds {
  if (span < least) throw new Error(`at least ${named}`);
  return span;
}

/** A timer for much longer would go off at once. */
function atMostADay(span: Milliseconds): Milliseconds {
  if (span > 24 * 60 * 60 * 1000) throw new Error('at most 1d');
  return span;
}

function matching(text: string, pattern: RegExp, expected: string): string {
  if (!pattern.test(text)) throw new Error(`${JSON.stringify(text)} is not ${expected}`);
  return text;
}
