import { describe, expect, it } from 'vitest';
import { type RunHistory, type RunListener, runComplaints, type Told } from './chat_checker.ts';

describe('accepts', () => {
  it.each([
    ['one stream', 'started one two completed'],
    ['cuts anywhere', '| started | one | | two | completed'],
    ['a cut behind the last event', 'started one two completed |'],
    ['a run that failed with what was said', 'started one two failed'],
    ['a run that was cancelled with what was said', 'started one two cancelled'],
  ])('%s', (_, told) => {
    expect(runComplaints(history('onetwo', told))).toEqual([]);
  });

  it('several listeners, and a run that left nothing', () => {
    expect(runComplaints(history('onetwo', 'started one two failed', 'started | one two failed'))).toEqual(
      [],
    );
    expect(runComplaints(history(undefined, 'started failed'))).toEqual([]);
  });

  it('a stream that was interrupted as the story has it', () => {
    const broken = { ...history('one', 'started | one completed'), interruptions: ['UNAVAILABLE gone'] };
    expect(runComplaints(endingFirst(broken, 'UNAVAILABLE gone'))).toEqual([]);
  });
});

describe('rejects', () => {
  it.each([
    ['a lost event', 'started two@3 completed@4', 'ann, stream 1: offset 3 where 2 was due'],
    ['a lost first event', 'one@2 two completed', 'ann, stream 1: offset 2 where 1 was due'],
    ['a lost event on resuming', 'started | two@3 completed', 'ann, stream 2: offset 3 where 2 was due'],
    ['a repeated event', 'started one one@2 two completed', 'ann, stream 1: offset 2 where 3 was due'],
    ['a repeated event on resuming', 'started one | one@2 two', 'ann, stream 2: offset 2 where 3 was due'],
    ['reordered events', 'started two@3 one@2 completed@4', 'ann, stream 1: offset 3 where 2 was due'],
    ['an event without an offset', 'started one@0 two', 'ann, stream 1: offset 0 where 2 was due'],
    ['no last event', 'started one two', 'ann, stream 1 ended with OK before the last event'],
    ['no last event after a cut', 'started one two |', 'ann, stream 2 ended with OK before the last event'],
    ['no event at all', '', 'ann was told of no end'],
    ['two last events', 'started one two failed failed', 'ann, stream 1: failed after the last event'],
    [
      'two last events over a cut',
      'started one two failed | completed',
      'ann, stream 2: completed after the last event',
    ],
    ['an event behind the last', 'started one completed two', 'ann, stream 1: text after the last event'],
    ['a run that does not start', 'one two completed', 'ann, stream 1: text at offset 1'],
    ['a run that starts twice', 'started one started two completed', 'ann, stream 1: started at offset 3'],
    [
      'a stream that goes on elsewhere',
      'started one |1 one@2 two completed',
      'ann, stream 2 goes on after 1 and not after 2',
    ],
  ])('%s', (_, told, complaint) => {
    expect(runComplaints(history('onetwo', told))).toContain(complaint);
  });

  it('another event at the same offset for somebody else', () => {
    const told = ['started on etwo completed', 'started one two completed'];
    expect(runComplaints(history('onetwo', ...told))).toEqual([
      'bob: another text at offset 2',
      'bob: another text at offset 3',
    ]);
  });

  it.each([
    ['less than was said', 'one'],
    ['more than was said', 'onetwothree'],
    ['nothing', undefined],
  ])('a log that keeps %s', (_, kept) => {
    expect(runComplaints(history(kept, 'started one two completed:onetwo'))).toHaveLength(2);
  });

  it('a last event that tells of another turn', () => {
    expect(runComplaints(history('one', 'started one completed:two'))).toEqual([
      'ann: completed says "two", kept is "one"',
    ]);
  });

  it('a stream that breaks by itself', () => {
    const broken = endingFirst(history('one', 'started | one completed'), 'INTERNAL DEFECT');
    expect(runComplaints(broken)).toEqual(['ann, stream 1 ended with INTERNAL DEFECT before the last event']);
  });
});

/** Listeners as told: events in order, `@` for another offset, `:` for the text a last event tells, `|` a cut and where it goes on. */
function history(kept: string | undefined, ...told: string[]): RunHistory {
  const names = ['ann', 'bob'];
  return { kept, listeners: told.map((line, index) => listener(names[index]!, line, kept ?? '')) };
}

function listener(name: string, line: string, kept: string): RunListener {
  let last = 0;
  const parts = line.split('|');
  const streams = parts.map((part, index) => {
    const [resumed, ...rest] = /^\d/.test(part) ? part.split(' ') : ['', ...part.split(' ')];
    const after = resumed ? Number(resumed) : last;
    const events = rest.filter(Boolean).map((word) => {
      const told = event(word, last + 1, kept);
      last = told.offset;
      return told;
    });
    return { after, events, end: index < parts.length - 1 ? 'cut' : 'OK' };
  });
  return { name, streams };
}

function event(word: string, due: number, kept: string): Told {
  const [, what, , at, , said] = /^(\w+)(@(\d+))?(:(\w+))?$/.exec(word)!;
  const offset = at === undefined ? due : Number(at);
  const kind = /^(started|completed|failed|cancelled)$/.test(what!) ? what! : 'text';
  const text = kind === 'text' ? what! : kind === 'started' ? '' : (said ?? kept);
  return { offset, kind, text, whole: `${offset} ${word.replace(/@.*/, '')}` };
}

function endingFirst(given: RunHistory, end: string): RunHistory {
  const [ann] = given.listeners;
  const [first, ...rest] = ann!.streams;
  return { ...given, listeners: [{ ...ann!, streams: [{ ...first!, end }, ...rest] }] };
}
