import { describe, expect, it } from 'vitest';
import { EventStream } from '../../src/models/event_stream.ts';
import { WholeCharacters } from '../../src/models/whole_characters.ts';

function read(pieces: Iterable<Uint8Array>): string[] {
  const events = new EventStream();
  const read = [...pieces].flatMap((piece) => events.push(piece));
  return [...read, ...events.end()];
}

/** A text's bytes, so many at a time. */
function* inPieces(text: string, size: number): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('a stream of events', () => {
  it.each([
    ['plain', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['with CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['with comments, types and ids', ': hi\n\nevent: x\nid: 1\ndata: a\nretry: 9\n\n: bye\n\n', ['a']],
    ['with data in several lines', 'data: a\ndata:\ndata: b\n\n', ['a\n\nb']],
    ['with no space after the colon', 'data:a\n\ndata:  b\n\n', ['a', ' b']],
    ['with more blank lines than need be', '\n\n\ndata: a\n\n\n\n', ['a']],
    ['that ends without a blank line', 'data: a\n\ndata: b', ['a', 'b']],
    ['with a byte order mark', '\ufeffdata: a\n\n', ['a']],
    ['in many tongues', 'data: häß 日本 😀👩‍👩‍👧\n\n', ['häß 日本 😀👩‍👩‍👧']],
    ['with nothing in it', '', []],
  ])('%s is read, whatever pieces its bytes come in', (_, text, events) => {
    for (const size of [1, 2, 3, 7, 1000]) expect(read(inPieces(text, size))).toEqual(events);
  });

  it('is read in time that grows with its length, also when a long line comes in crumbs', () => {
    const start = performance.now();
    expect(read(inPieces(`data: ${'x'.repeat(1_000_000)}\n\n`, 4))[0]).toHaveLength(1_000_000);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('says how much of an event without an end it holds', () => {
    const events = new EventStream();
    events.push(Buffer.from('data: 12345\ndata: 678'));
    expect(events.held).toBe('12345'.length + 'data: 678'.length);
    events.push(Buffer.from('\n\n'));
    expect(events.held).toBe(0);
  });
});

describe('characters', () => {
  it('are passed on whole', () => {
    const characters = new WholeCharacters();
    expect(['a\ud83d', '\ude00b', '\ud83d', '\ude00'].map((piece) => characters.push(piece))).toEqual([
      'a',
      '😀b',
      '',
      '😀',
    ]);
    expect(characters.end()).toBe('');
  });

  it('of which half is missing are replaced', () => {
    const characters = new WholeCharacters();
    expect(characters.push('a\ud83d')).toBe('a');
    expect(characters.push('b\ude00c\ud83d')).toBe('\ufffdb\ufffdc');
    expect(characters.end()).toBe('\ufffd');
  });
});
