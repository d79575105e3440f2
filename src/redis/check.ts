/** Whether a Redis can be trusted with sessions; asked at start, and whenever it was away. */
import { StartError } from '../errors.ts';
import type { Connection } from './connection.ts';

/** The oldest that can forget a field of a hash by itself (HPEXPIRE). */
const MIN_VERSION = '7.4.0';
const MODULES = ['RedisJSON', 'RediSearch'];

/** Says what is wrong, and what to do. */
export class UnsuitableRedisError extends StartError {}

export async function checkRedis(redis: Connection): Promise<void> {
  const info = fields(String(await redis.call('INFO', 'server', 'memory')));
  const version = info.get('redis_version') ?? '0';
  if (version.localeCompare(MIN_VERSION, 'en', { numeric: true }) < 0) {
    throw new UnsuitableRedisError(
      `Redis ${version} is too old: Parley needs ${MIN_VERSION} or newer, better Redis 8`,
    );
  }
  const missing = await missingModules(redis);
  if (missing.length > 0) {
    throw new UnsuitableRedisError(
      `this Redis has no ${missing.join(' and no ')}: use Redis 8 with its modules, or Redis Stack 7.4, or leave REDIS_URL unset to let Parley start its own`,
    );
  }
  const policy = info.get('maxmemory_policy');
  if (policy !== 'noeviction') {
    throw new UnsuitableRedisError(
      `this Redis would drop sessions when its memory is full (maxmemory-policy ${policy}): set it to noeviction`,
    );
  }
}

/** By their commands: a user may not be allowed to list modules. */
async function missingModules(redis: Connection): Promise<string[]> {
  const commands = (await redis.call('COMMAND', 'INFO', 'JSON.SET', 'FT.SEARCH')) as unknown[];
  return MODULES.filter((_, index) => !commands[index]);
}

function fields(info: string): Map<string, string> {
  return new Map(info.split('\r\n').map((line) => line.split(':', 2) as [string, string]));
}
