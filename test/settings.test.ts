import { describe, expect, it } from 'vitest';
import { helpText, readArguments, readSettings, SettingError, unknownSettings } from '../src/settings.ts';

describe('the settings', () => {
  it('have defaults', () => {
    expect(readSettings({})).toEqual({
      addresses: ['127.0.0.1:50051'],
      redisUrl: undefined,
      redisServer: undefined,
      redisModules: undefined,
      dataDir: './data',
      keyPrefix: 'parley',
      defaultModel: 'echo',
      summaryModel: 'echo',
      openaiBaseUrl: undefined,
      openaiApiKey: undefined,
      insecure: false,
      logLevel: 'info',
      shutdownGrace: 10_000,
      deletedRetention: 30 * 24 * 60 * 60 * 1000,
      runLease: 10_000,
    });
  });

  it('take an empty variable for one that is not set, and pass over what they do not know', () => {
    const env = { PARLEY_ADDRESS: '', REDIS_URL: '', PARLEY_KEY_PREFIX: '', PARLEY_INSECURE: '', OTHER: 'x' };
    expect(readSettings(env)).toEqual(readSettings({}));
  });

  it.each([
    [
      'PARLEY_ADDRESS',
      '127.0.0.1:0, [::1]:50051,localhost:1',
      'addresses',
      ['127.0.0.1:0', '[::1]:50051', 'localhost:1'],
    ],
    ['PARLEY_ADDRESS', '127.9.9.9:1', 'addresses', ['127.9.9.9:1']],
    ['REDIS_URL', 'redis://user:pass@host:6379/0', 'redisUrl', 'redis://user:pass@host:6379/0'],
    ['REDIS_URL', 'rediss://host', 'redisUrl', 'rediss://host'],
    ['REDIS_URL', '/run/redis.sock', 'redisUrl', '/run/redis.sock'],
    ['PARLEY_REDIS_SERVER', '/bin/redis-server', 'redisServer', '/bin/redis-server'],
    ['PARLEY_REDIS_MODULES', '/lib', 'redisModules', '/lib'],
    ['PARLEY_DATA_DIR', '/data', 'dataDir', '/data'],
    ['PARLEY_KEY_PREFIX', 'my-App_1.x', 'keyPrefix', 'my-App_1.x'],
    ['PARLEY_SUMMARY_MODEL', 'gpt-4o-mini', 'summaryModel', 'gpt-4o-mini'],
    ['OPENAI_BASE_URL', 'http://127.0.0.1:11434/v1', 'openaiBaseUrl', 'http://127.0.0.1:11434/v1'],
    ['OPENAI_BASE_URL', 'https://example.org', 'openaiBaseUrl', 'https://example.org'],
    ['OPENAI_API_KEY', 'sk-Proj_1.2+3/4=', 'openaiApiKey', 'sk-Proj_1.2+3/4='],
    ['PARLEY_RUN_LEASE', '1s', 'runLease', 1000],
    ['PARLEY_INSECURE', 'true', 'insecure', true],
    ['PARLEY_INSECURE', '1', 'insecure', true],
    ['PARLEY_INSECURE', '0', 'insecure', false],
    ['PARLEY_LOG_LEVEL', 'silent', 'logLevel', 'silent'],
    ['PARLEY_SHUTDOWN_GRACE', '1m', 'shutdownGrace', 60_000],
    ['PARLEY_SHUTDOWN_GRACE', '250ms', 'shutdownGrace', 250],
    ['PARLEY_SHUTDOWN_GRACE', '0s', 'shutdownGrace', 0],
    ['PARLEY_DELETED_RETENTION', '1.5h', 'deletedRetention', 5_400_000],
  ] as const)('read %s=%s as %s', (variable, text, name, value) => {
    expect(readSettings({ [variable]: text })).toEqual({ ...readSettings({}), [name]: value });
  });

  it.each([
    ['PARLEY_SHUTDOWN_GRACE', '25d'],
    ['PARLEY_RUN_LEASE', '1.1d'],
    ['PARLEY_ADDRESS', 'localhost'],
    ['PARLEY_ADDRESS', 'localhost:port'],
    ['PARLEY_ADDRESS', '::1:50051'],
    ['PARLEY_ADDRESS', '127.0.0.1:1,'],
    ['PARLEY_ADDRESS', '127.0.0.1:123456'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'http://localhost'],
    ['PARLEY_KEY_PREFIX', 'a:b'],
    ['PARLEY_KEY_PREFIX', 'a{b}'],
    ['PARLEY_KEY_PREFIX', 'a*'],
    ['PARLEY_KEY_PREFIX', 'x'.repeat(65)],
    ['PARLEY_MODEL', 'gpt 4'],
    ['PARLEY_MODEL', 'm'.repeat(257)],
    ['PARLEY_SUMMARY_MODEL', 'a\nb'],
    ['OPENAI_BASE_URL', 'localhost:11434'],
    ['OPENAI_BASE_URL', '127.0.0.1'],
    ['OPENAI_BASE_URL', 'ftp://example.org'],
    ['OPENAI_BASE_URL', 'https://example.org/v1?api-version=1'],
    ['PARLEY_RUN_LEASE', '999ms'],
    ['PARLEY_INSECURE', 'yes'],
    ['PARLEY_LOG_LEVEL', 'loud'],
    ['PARLEY_SHUTDOWN_GRACE', '30'],
    ['PARLEY_SHUTDOWN_GRACE', 'soon'],
    ['PARLEY_SHUTDOWN_GRACE', '-1s'],
    ['PARLEY_SHUTDOWN_GRACE', '10 parsecs'],
    ['PARLEY_SHUTDOWN_GRACE', 'Infinity'],
    ['PARLEY_DELETED_RETENTION', '1e999'],
  ])('refuse %s=%s and name it', (variable, text) => {
    const read = () => readSettings({ [variable]: text });
    expect(read).toThrow(SettingError);
    expect(read).toThrow(new RegExp(`^${variable}: `));
  });

  it('let the default model summarise unless another is named', () => {
    const { defaultModel, summaryModel } = readSettings({ PARLEY_MODEL: 'llama3.1:8b' });
    expect({ defaultModel, summaryModel }).toEqual({
      defaultModel: 'llama3.1:8b',
      summaryModel: 'llama3.1:8b',
    });
  });

  it.each([
    ['OPENAI_API_KEY', 'sk-hunter2\n'],
    ['OPENAI_API_KEY', 'sk-hunter2 \u00e9'],
    ['OPENAI_BASE_URL', 'https://me:hunter2@example.org/v1'],
    ['OPENAI_BASE_URL', 'hunter2'],
  ])('keep the secret of %s when they refuse it', (variable, text) => {
    const read = () => readSettings({ [variable]: text });
    expect(read).toThrow(new RegExp(`^${variable}: `));
    expect(read).not.toThrow(/hunter2/);
  });

  it.each([
    '0.0.0.0:50051',
    '[::]:50051',
    'example.org:443',
    '127.0.0.1:1,10.0.0.1:2',
    'localhost.example.org:1',
  ])('refuse to listen at %s unless told that this is meant', (address) => {
    expect(() => readSettings({ PARLEY_ADDRESS: address })).toThrow(
      /^PARLEY_ADDRESS: .* is reachable from elsewhere/,
    );
    const { addresses } = readSettings({ PARLEY_ADDRESS: address, PARLEY_INSECURE: 'true' });
    expect(addresses.join()).toBe(address);
  });
});

describe('the command line', () => {
  it('knows --help, -h and --insecure', () => {
    expect(readArguments([])).toEqual({ help: false, insecure: false });
    expect(readArguments(['--help'])).toEqual({ help: true, insecure: false });
    expect(readArguments(['-h', '--insecure'])).toEqual({ help: true, insecure: true });
  });

  it.each(['--port', 'serve', '--insecure=maybe', '-x'])('refuses %s', (argument) => {
    expect(() => readArguments([argument])).toThrow(SettingError);
  });
});

describe('the help', () => {
  it('has a line for every setting', () => {
    const help = helpText();
    const named = help.match(/^ {2}[A-Z_]+/gm)?.map((name) => name.trim());
    expect(named).toEqual([
      'PARLEY_ADDRESS',
      'REDIS_URL',
      'PARLEY_REDIS_SERVER',
      'PARLEY_REDIS_MODULES',
      'PARLEY_DATA_DIR',
      'PARLEY_KEY_PREFIX',
      'PARLEY_MODEL',
      'PARLEY_SUMMARY_MODEL',
      'PARLEY_EMBEDDING_MODEL',
      'OPENAI_BASE_URL',
      'OPENAI_API_KEY',
      'PARLEY_INSECURE',
      'PARLEY_LOG_LEVEL',
      'PARLEY_SHUTDOWN_GRACE',
      'PARLEY_DELETED_RETENTION',
      'PARLEY_RUN_LEASE',
    ]);
  });
});

it('what is named like a setting and is none is found', () => {
  const env = { PARLEY_ADRESS: '127.0.0.1:1', PARLEY_ADDRESS: '127.0.0.1:1', OPENAI_BASE: 'x', PATH: '/bin' };
  expect(unknownSettings(env)).toEqual(['PARLEY_ADRESS']);
});
