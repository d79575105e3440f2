/** The Lua scripts: each is one atomic step, and says in its header what it does. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A script as Redis runs it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

function load(name: string): Script {
  const read = (file: string) => readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), 'utf8');
  const lua = `${read('prelude')}\n${read(name)}`;
  return { lua, sha: hash('sha1', lua, 'hex') };
}

export const writeSession = load('write_session');
export const purgeSession = load('purge_session');
export const appendTurns = load('append_turns');
export const removeTurns = load('remove_turns');
export const readTurns = load('read_turns');
export const stageTurns = load('stage_turns');
