/** Counts what is stored, once. */
import { tokensOfEach } from '../chat/prompt_messages.ts';
import type { TurnCounter } from '../chat/tokens.ts';
import { STORED_ENCODING } from './encodings.ts';
import { tokenizer } from './tokenizer.ts';

export const countTurns: TurnCounter = async (said) => tokensOfEach(said, await tokenizer(STORED_ENCODING));
