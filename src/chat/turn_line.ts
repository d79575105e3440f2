/** A turn told to a model that reads it as material: one JSON object on one line, which nothing said can break out of. */
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { Part, PastTurn } from './content.ts';
import { shortened } from './shorten.ts';

/** None takes more than it takes to tell what it was about. */
const MOST_OF_A_TURN = 2000;

/** A turn as a line of JSON, and the tokens it takes: at most half of the room there is for lines. */
export async function turnLine(
  turn: PastTurn,
  room: number,
  counter: Tokenizer,
): Promise<{ text: string; tokens: number }> {
  const { seq, role, participantId } = turn;
  const who = participantId === '' ? {} : { name: participantId };
  const told = (said: string) => JSON.stringify({ seq, role, ...who, said });
  const said = inWords(turn);
  const whole = told(said);
  const tokens = await counter.countLarge(whole);
  const most = Math.min(MOST_OF_A_TURN, Math.floor(room / 2));
  if (tokens <= most) return { text: whole, tokens };
  for (let keep = most; ; keep = Math.floor(keep / 2)) {
    const text = told(shortened(said, tokens, keep, counter));
    const taken = counter.count(text);
    if (taken <= most || keep === 0) return { text, tokens: taken }; // escapes may make it longer than it was
  }
}

/** What a turn says in words, of which there may be none. */
export function inWords({ parts }: Pick<PastTurn, 'parts'>): string {
  return parts
    .map(toldPart)
    .filter((text) => text !== '')
    .join('\n');
}

function toldPart(part: Part): string {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text;
    case 'toolCall':
      return `[calls ${part.name} with ${part.arguments}]`;
    case 'toolResult':
      return `[${part.isError ? 'failure' : 'result'} of ${part.name || part.toolCallId}: ${part.content}]`;
    case 'image':
    case 'file':
      return `[${part.kind}${part.name === '' ? '' : ` ${part.name}`}]`;
    case 'reasoning':
      return '';
  }
}
