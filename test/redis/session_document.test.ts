import { deepStrictEqual } from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { type DocumentWrite, documentWrite, fromDocument } from '../../src/redis/session_document.ts';
import { indexTokens } from '../../src/redis/session_tokens.ts';
import type { Session } from '../../src/sessions/session.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { mergeDeep, mergeShallow } from '../../src/structs/merge.ts';
import { forAllAsync } from '../property.ts';
import { useRedis } from '../redis_fixture.ts';
import { aSession } from '../session_fixture.ts';
import { anyObject, smallObject, tameObject } from '../structs/arbitrary.ts';

const redis = useRedis();

/** Does what write_session does with it. */
async function store(key: string, { text, patch }: DocumentWrite): Promise<string> {
  await redis.connection.call(patch ? 'JSON.MERGE' : 'JSON.SET', key, '$', text);
  return (await redis.connection.call('JSON.GET', key)) as string;
}

function withConfigs(session: Session, configs: JsonObject, revision: number): Session {
  return {
    ...session,
    configs: { ...session.configs, configs, revision },
    updateTime: session.updateTime + 1,
  };
}

describe('a document', () => {
  it('is the session and its tokens, whatever is written over what, as a whole or as a patch', async () => {
    let patches = 0;
    const check = async (metadata: JsonObject, configs: JsonObject, patch: JsonObject) => {
      const first = withConfigs(aSession({ metadata }), configs, 1);
      const key = redis.keys.session(first);
      const versions = [
        first,
        withConfigs(first, mergeShallow(configs, patch), 2),
        { ...withConfigs(first, mergeDeep(configs, patch), 3), ttl: 1000, metadata: patch },
        withConfigs(first, configs, 4),
      ];
      let stored: Session | undefined;
      for (const version of versions) {
        const write = documentWrite(stored, version);
        if (write.patch) patches++;
        const reply = await store(key, write);
        deepStrictEqual(fromDocument(reply), version);
        deepStrictEqual(JSON.parse(reply).tokens, JSON.parse(indexTokens(version)));
        stored = patches % 2 ? version : fromDocument(reply); // one's own, or as another process reads it
      }
    };
    for (const object of [anyObject, smallObject, tameObject])
      await forAllAsync([object, object, object], check, 200);
    expect(patches).toBeGreaterThan(300);
  });

  it('is patched with what changes, and no more', () => {
    const session = withConfigs(aSession(), { model: 'large', depth: { most: 3 } }, 1);
    const { text, patch } = documentWrite(session, withConfigs(session, { depth: { most: 4 } }, 2));
    const { tokens, ...changes } = JSON.parse(text);
    expect(tokens).not.toEqual([]);
    expect(changes).toStrictEqual(patch);
    expect(changes).toStrictEqual({
      configs: { revision: 2, configs: { model: null, depth: { most: 4 } } },
      updateTime: session.updateTime + 1,
    });
  });

  it('is written whole for a number that RedisJSON reads beside it, and as long as there was one', () => {
    const plain = withConfigs(aSession(), { a: 1 }, 1);
    const inexact = withConfigs(plain, { a: 7.996062797706731e-241 }, 2);
    expect(documentWrite(undefined, plain).patch).toBeUndefined();
    expect(documentWrite(plain, inexact).patch).toBeUndefined();
    expect(documentWrite(inexact, withConfigs(inexact, { a: 1 }, 3)).patch).toBeUndefined();
    const read = fromDocument(documentWrite(undefined, inexact).text)!;
    expect(documentWrite(read, withConfigs(read, { a: 1 }, 3)).patch).toBeUndefined();
  });
});
