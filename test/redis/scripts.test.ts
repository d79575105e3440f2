import { describe, expect, it } from 'vitest';
import { purgeSession, writeSession } from '../../src/redis/scripts.ts';
import { useRedis } from '../redis_fixture.ts';

const redis = useRedis();

describe('the scripts', () => {
  it.each([
    ['write_session', writeSession],
    ['purge_session', purgeSession],
  ])('are named by the hash Redis gives them: %s', async (_, { lua, sha }) => {
    expect(await redis.connection.call('SCRIPT', 'LOAD', lua)).toBe(sha);
  });

  it.each([
    ['write_session', writeSession],
    ['purge_session', purgeSession],
  ])('say in their header what they do, take and return: %s', (_, { lua }) => {
    for (const part of ['-- Effect:', '-- KEYS:', '-- ARGV:', '-- Returns:']) expect(lua).toContain(part);
  });
});
