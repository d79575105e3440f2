/** Counts what is stored, once. */
import { tokensOfEach } from '../chat/prompt_messages.ts';
import type { TurnCounter } from '../chat/tokens.ts';
import { STORED_ENCODING } from './encodings.ts';
import { loadedTokenizer, tokenizer } from './tokenizer.ts';

export const countTurns: TurnCounter = (said) => {
  const loaded = loadedTokenizer(STORED_ENCODING);
  if (loaded) return tokensOfEach(said, loaded);
  return tokenizer(STORED_ENCODING).then((counter) => tokensOfEach(said, counter));
};
