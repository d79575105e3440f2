/** A deterministic embedding model: a text's vector counts the classes of synonyms among its words. */
import type { JsonObject } from '../../src/structs/json.ts';
import { type Answer, type EndpointRequest, json } from './endpoint.ts';

/** Words that mean the same; a dimension each. */
const CLASSES = [
  ['physician', 'doctor', 'surgeon', 'medic'],
  ['car', 'automobile', 'vehicle', 'sedan'],
  ['ship', 'vessel', 'boat', 'schooner'],
  ['storm', 'tempest', 'gale', 'hurricane'],
  ['purchased', 'bought', 'acquired', 'buy'],
  ['lighthouse', 'beacon', 'pharos'],
  ['bread', 'loaf', 'baguette'],
  ['child', 'kid', 'youngster', 'infant'],
];

/** One more than there are classes, so that no text is without direction. */
export const DIMENSION = CLASSES.length + 1;

export function vectorOf(text: string): number[] {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
  const counts = CLASSES.map((synonyms) => words.filter((word) => synonyms.includes(word)).length);
  return [...counts, 0.01];
}

/** What OpenAI answers: a vector for each text, in whichever order. */
export function embeddings({ body }: EndpointRequest, embed: (text: string) => number[] = vectorOf): Answer {
  const data = (body.input as string[]).map((text, index) => ({
    object: 'embedding',
    index,
    embedding: embed(text),
  }));
  return vectors(data.reverse());
}

export function vectors(data: JsonObject[]): Answer {
  return json({ object: 'list', data, model: 'test', usage: { prompt_tokens: 1, total_tokens: 1 } });
}
