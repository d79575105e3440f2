import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Delta, joined, partsOf } from '../../src/chat/answer.ts';
import { forAll } from '../property.ts';

const text = (said: string): Delta => ({ kind: 'text', text: said });
const thought = (said: string): Delta => ({ kind: 'reasoning', text: said });
const call = (index: number, said: string, id = '', name = ''): Delta => ({
  kind: 'toolCall',
  index,
  id,
  name,
  arguments: said,
});

describe('the parts of an answer', () => {
  it('are none when nothing was said', () => {
    expect(partsOf([])).toEqual([]);
  });

  it('are what was said in a row, and calls last', () => {
    const said = [
      thought('hm'),
      thought('m'),
      text('I '),
      call(0, '{}', 'a', 'look'),
      text('look'),
      thought('!'),
    ];
    expect(partsOf(said)).toEqual([
      { kind: 'reasoning', text: 'hmm' },
      { kind: 'text', text: 'I look' },
      { kind: 'reasoning', text: '!' },
      { kind: 'toolCall', id: 'a', name: 'look', arguments: '{}' },
    ]);
  });

  it('put pieces of calls that come in turns together', () => {
    const said = [
      call(0, '{', 'a', 'x'),
      call(1, '[', 'b', 'y'),
      call(0, '}'),
      call(1, ']'),
      call(2, '', 'c', 'z'),
    ];
    expect(partsOf(said)).toEqual([
      { kind: 'toolCall', id: 'a', name: 'x', arguments: '{}' },
      { kind: 'toolCall', id: 'b', name: 'y', arguments: '[]' },
      { kind: 'toolCall', id: 'c', name: 'z', arguments: '' },
    ]);
  });

  it('are the same however the pieces were joined on their way', () => {
    const begins = new Map<number, string>();
    const delta = fc.oneof(
      fc.string({ minLength: 1 }).map(text),
      fc.string({ minLength: 1 }).map(thought),
      fc.record({ index: fc.nat(2), said: fc.string() }),
    );
    forAll([fc.array(fc.tuple(delta, fc.boolean()))], (pieces) => {
      begins.clear();
      const whole: Delta[] = [];
      const sent: Delta[] = [];
      for (const [piece, joins] of pieces) {
        const next = 'kind' in piece ? piece : callPiece(piece, begins);
        whole.push(next);
        const one = joins && sent.length > 0 ? joined(sent.at(-1)!, next) : undefined;
        if (one) sent[sent.length - 1] = one;
        else sent.push(next);
      }
      expect(partsOf(sent)).toEqual(partsOf(whole));
    });
  });
});

/** The first piece of a call has its id and name, the others neither. */
function callPiece({ index, said }: { index: number; said: string }, begins: Map<number, string>): Delta {
  if (begins.has(index)) return call(index, said);
  begins.set(index, `id-${index}`);
  return call(index, said, `id-${index}`, 'look');
}
