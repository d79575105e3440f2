/** Counts what is stored, once. */
import { tokensOfSaid } from '../chat/prompt_messages.ts';
import type { TurnCounter } from '../chat/tokens.ts';
import { STORED_ENCODING } from './encodings.ts';
import { type Tokenizer, tokenizer } from './tokenizer.ts';

/** Waits for the tokenizer the first time only. */
export function turnCounter(): TurnCounter {
  let ready: Tokenizer | undefined;
  return (said) => {
    if (ready) return tokensOfSaid(said, ready);
    return tokenizer(STORED_ENCODING).then((loaded) => {
      ready = loaded;
      return tokensOfSaid(said, loaded);
    });
  };
}
