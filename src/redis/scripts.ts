/** The Lua scripts: each is one atomic step, and says in its header what it does. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A script as Redis runs it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** A script behind the parts it shares with others. */
function load(...names: string[]): Script {
  const read = (file: string) => readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), 'utf8');
  const lua = ['prelude', ...names].map(read).join('\n');
  return { lua, sha: hash('sha1', lua, 'hex') };
}

export const writeSession = load('write_session');
export const readSession = load('read_session');
export const purgeSession = load('purge_session');
export const appendTurns = load('log', 'append_turns');
export const removeTurns = load('remove_turns');
export const readTurns = load('read_turns');
export const stageTurns = load('stage_turns');
export const startRun = load('log', 'run', 'start_run');
export const writeRun = load('log', 'run', 'write_run');
export const finishRun = load('log', 'run', 'finish_run');
export const takeRun = load('log', 'run', 'take_run');
export const readRun = load('log', 'run', 'read_run');
export const saveSummary = load('log', 'run', 'save_summary');
export const forgetRun = load('forget_run');
export const startIntegration = load('integration', 'start_integration');
export const holdIntegration = load('integration', 'hold_integration');
export const storeInsights = load('integration', 'store_insights');
export const endIntegration = load('integration', 'end_integration');
export const createDocument = load('vectors', 'create_document');
export const stageVectors = load('vectors', 'stage_vectors');
export const deleteDocument = load('delete_document');
