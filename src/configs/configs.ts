/** What ConfigsService promises, without gRPC and without Redis. */
import { etagMismatch, ParleyError } from '../errors.ts';
import { authorOf, readable, withConfigs, writable } from '../sessions/changes.ts';
import {
  type ConfigsOperation,
  type ConfigsRevision,
  configsEtag,
  type Session,
  type SessionKey,
} from '../sessions/session.ts';
import type { Caller, Doorbell, RevisionLog, SessionStore } from '../sessions/store.ts';
import type { JsonObject } from '../structs/json.ts';
import { mergeDeep, mergeShallow } from '../structs/merge.ts';
import { watchConfigs } from './watch.ts';

/** The configs after a call, with what a next call may be conditioned on. */
export interface ConfigsState {
  /** Absent: unset. */
  readonly configs?: JsonObject;
  readonly etag: string;
  readonly revision: number;
}

export type PatchMode = 'SHALLOW' | 'DEEP';

export class Configs {
  readonly #store: SessionStore & RevisionLog;
  readonly #doorbell: Doorbell;

  constructor(store: SessionStore & RevisionLog, doorbell: Doorbell) {
    this.#store = store;
    this.#doorbell = doorbell;
  }

  async get(key: SessionKey): Promise<ConfigsState> {
    return stateOf(readable(await this.#store.read(key), key));
  }

  replace(key: SessionKey, configs: JsonObject, etag: string, caller: Caller): Promise<ConfigsState> {
    return this.#change(key, etag, caller, 'UPDATE', () => configs);
  }

  patch(
    key: SessionKey,
    patch: JsonObject,
    mode: PatchMode,
    etag: string,
    caller: Caller,
  ): Promise<ConfigsState> {
    return this.#change(key, etag, caller, 'PATCH', ({ configs }) => patched(configs.configs, patch, mode));
  }

  delete(key: SessionKey, etag: string, caller: Caller): Promise<ConfigsState> {
    return this.#change(key, etag, caller, 'DELETE', () => undefined);
  }

  async rollback(key: SessionKey, revision: number, etag: string, caller: Caller): Promise<ConfigsState> {
    const kept = await this.#store.revisions(key, revision);
    return this.#change(key, etag, caller, 'ROLLBACK', (session) => {
      const target = kept?.revisions.find((entry) => entry.revision === revision);
      // A session made anew under the same id counts its revisions from the start.
      if (!target || kept?.session.createTime !== session.createTime) throw revisionNotFound(revision);
      return target.configs;
    });
  }

  /** The kept revisions before `before` (absent: all), newest first. */
  async revisions(key: SessionKey, before: number | undefined): Promise<ConfigsRevision[]> {
    const kept = await this.#store.revisions(key, 1);
    readable(kept?.session, key);
    return kept!.revisions.filter(({ revision }) => revision < (before ?? Infinity)).reverse();
  }

  /** Every revision after `after` (absent: from the current one), live; undefined is a heartbeat. */
  watch(
    key: SessionKey,
    after: number | undefined,
    signal: AbortSignal,
  ): AsyncIterable<ConfigsRevision | undefined> {
    return watchConfigs(this.#store, this.#doorbell, key, after, signal);
  }

  async #change(
    key: SessionKey,
    etag: string,
    caller: Caller,
    operation: ConfigsOperation,
    make: (session: Session) => JsonObject | undefined,
  ): Promise<ConfigsState> {
    const { answer } = await this.#store.mutate(key, caller, (current) => {
      const session = writable(current, key, '');
      if (etag !== '' && etag !== configsEtag(session)) throw etagMismatch('configs');
      const next = withConfigs(session, make(session), operation, authorOf(caller));
      const answer = stateOf(next);
      return next === session ? { answer } : { answer, write: next };
    });
    return answer;
  }
}

/** On unset configs a patch starts from `{}`; one that sets nothing leaves them unset. */
function patched(
  configs: JsonObject | undefined,
  patch: JsonObject,
  mode: PatchMode,
): JsonObject | undefined {
  if (!configs && Object.values(patch).every((value) => value === null)) return undefined;
  return mode === 'DEEP' ? mergeDeep(configs ?? {}, patch) : mergeShallow(configs ?? {}, patch);
}

function stateOf(session: Session): ConfigsState {
  const { configs, revision } = session.configs;
  const etag = configsEtag(session);
  return configs ? { configs, etag, revision } : { etag, revision };
}

function revisionNotFound(revision: number): ParleyError {
  return new ParleyError('REVISION_NOT_FOUND', `there is no revision ${revision}, or it is no longer kept`, {
    resource: { type: 'parley.v1.ConfigsRevision', name: String(revision) },
  });
}
