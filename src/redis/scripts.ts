/** The Lua scripts: each is one atomic step, and says in its header what it does. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A script as Redis runs it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** A script, the last, behind the parts it shares with others. */
function load(...names: string[]): Script {
  const read = (file: string) => readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), 'utf8');
  const lua = names.map(read).join('\n');
  return { lua, sha: hash('sha1', lua, 'hex') };
}

/** What those take that change what is beside a session's document: turns, documents. */
const CHANGE = ['prelude', 'documents', 'upkeep'];
/** What those take that append turns. */
const LOG = [...CHANGE, 'log'];
const RUN = [...LOG, 'run'];
const INTEGRATION = [...CHANGE, 'integration'];
/** What those take that write what was computed from a session. */
const COMPUTED = ['prelude', 'activity', 'conflict', 'documents'];

export const writeSession = load(...COMPUTED, 'write_session');
export const readSession = load('activity', 'read_session');
export const readRevisions = load('read_revisions');
export const purgeSession = load(...COMPUTED, 'purge_session');
export const appendTurns = load(...LOG, 'append_turns');
export const removeTurns = load(...CHANGE, 'entries', 'varint', 'remove_turns');
export const readTurns = load('entries', 'read_turns');
export const stageTurns = load('prelude', 'stage_turns');
export const queueForRun = load('prelude', 'run', 'queue', 'queue_for_run');
export const leaveQueue = load('prelude', 'leave_queue');
export const startRun = load(...RUN, 'varint', 'frames', 'queue', 'start_run');
export const writeRun = load(...RUN, 'write_run');
export const finishRun = load(...RUN, 'varint', 'frames', 'finish_run');
export const takeRun = load(...RUN, 'take_run');
export const readRun = load('read_run');
export const saveSummary = load(...RUN, 'save_summary');
export const markRun = load('prelude', 'mark_run');
export const overdueRuns = load('prelude', 'overdue_runs');
export const forgetRun = load('prelude', 'forget_run');
export const startIntegration = load(...INTEGRATION, 'start_integration');
export const holdIntegration = load(...INTEGRATION, 'hold_integration');
export const storeInsights = load(...INTEGRATION, 'store_insights');
export const endIntegration = load(...INTEGRATION, 'end_integration');
export const createDocument = load(...CHANGE, 'vectors', 'create_document');
export const stageVectors = load('prelude', 'vectors', 'stage_vectors');
export const deleteDocument = load(...CHANGE, 'delete_document');
