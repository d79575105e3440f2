/** The yardstick of Chat: a Node process that asks the model itself, by the `openai` SDK, as one would without Parley. */
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { LoadProcess, type Timing } from './load.ts';

/** One stretch of asking: `callers` who each ask again when they are answered. */
export interface SdkLoad extends Timing {
  readonly baseUrl: string;
  readonly model: string;
  /** What everybody asks. */
  readonly messages: readonly ChatCompletionMessageParam[];
  readonly callers: number;
  /** How long a caller waits from one question to the next, in milliseconds, unless the answer takes longer. */
  readonly everyMs: number;
  /** What each answer must bring, in bytes. */
  readonly textBytes: number;
}

/** The process, for whose answers the first text is measured as for those of Chat. */
export class Sdk extends LoadProcess<SdkLoad> {
  constructor() {
    super('sdk_worker.ts');
  }
}
