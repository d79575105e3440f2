/** An answer in the making: its pieces as a model gives them, and the parts they make up. */
import type { AnswerPiece } from '../models/model.ts';
import type { Part } from './content.ts';

/** A piece of what is said. */
export type Delta = Exclude<AnswerPiece, { kind: 'end' }>;

/** A delta that goes on where another ends, as one; undefined when they do not belong together. */
export function joined(one: Delta, next: Delta): Delta | undefined {
  if (one.kind === 'toolCall') {
    const same = next.kind === 'toolCall' && next.index === one.index && next.id === '' && next.name === '';
    return same ? { ...one, arguments: one.arguments + next.arguments } : undefined;
  }
  return next.kind === one.kind ? { ...one, text: one.text + (next as typeof one).text } : undefined;
}

/** The parts that pieces, in order, make up. */
export function partsOf(deltas: Iterable<Delta>): Part[] {
  const said: Delta[] = [];
  const calls = new Map<number, Delta & { kind: 'toolCall' }>();
  for (const delta of deltas) {
    if (delta.kind !== 'toolCall') {
      const whole = said.length > 0 ? joined(said.at(-1)!, delta) : undefined;
      if (whole) said[said.length - 1] = whole;
      else said.push(delta);
      continue;
    }
    // Pieces of several calls may come in turns.
    const call = calls.get(delta.index);
    calls.set(delta.index, call ? { ...call, arguments: call.arguments + delta.arguments } : delta);
  }
  return [...said, ...calls.values()].map(asPart);
}

function asPart(delta: Delta): Part {
  if (delta.kind !== 'toolCall') return delta;
  const { id, name, arguments: text } = delta;
  return { kind: 'toolCall', id, name, arguments: text };
}
