/** The load generator's process. */
import { answerLoads } from './answer_loads.ts';
import { ClosedLoop } from './closed_loop.ts';
import type { Load } from './load.ts';

answerLoads((load: Load) => new ClosedLoop(load).run());
