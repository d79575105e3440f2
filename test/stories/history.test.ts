import { describe, expect, it } from 'vitest';
import {
  type Append,
  complaints,
  type Event,
  type History,
  type Removal,
  type Said,
  type Stream,
  type Write,
} from './history.ts';

/** Written one after the other; what is left is 1 2 3 7 8. */
const WRITES = [append(1, 2), append(3, 4, 5), append(6), rewind(3, 7), append(7), append(8)];
const LEFT = [1, 2, 3, 7, 8];

describe('accepts', () => {
  it.each([
    ['one stream from the beginning to the end', '1 2 3 4 5 6 REWOUND 1 2 3 = 7 8'],
    ['one that comes late', '|7 1 2 3 7 8 ='],
    ['cuts anywhere', '| 1 | 2 3 | | 4 5 REWOUND | 1 2 | 3 7 | = 8 |'],
    ['a removal that comes before all turns were sent', '1 2 REWOUND 1 2 3 7 = 8'],
    ['one whose copy looks like an older epoch for a while', '|5 1 2 3 7 8'],
    ['heartbeats', '. 1 2 3 . 4 5 6 REWOUND . 1 2 3 . 7 8 .'],
    ['being caught up before a turn that is just being written', '|2 1 2 = 3 4 5 6 REWOUND 1 2 3 7 8'],
  ])('%s', (_, told) => {
    expect(complaints(history(WRITES, LEFT, told))).toEqual([]);
  });

  it('a log that was cleared, and a reset that stands for two removals', () => {
    const writes = [append(1, 2, 3), rewind(1, 4), append(4), clear(5), append(5)];
    expect(complaints(history(writes, [5], '1 2 3 REWOUND 1 4 CLEARED 5 =', '1 2 | CLEARED 5'))).toEqual([]);
  });

  it('writes that overlap, in either order', () => {
    const slow = { ...append(2), acknowledged: 10 };
    expect(complaints(history([slow, append(1)], [1, 2], '1 2'))).toEqual([]);
  });
});

describe('rejects of a follower', () => {
  it.each([
    ['a lost turn', '1 3 4 5 6 REWOUND 1 2 3 7 8', 'stream 1: 3 (t3) where 2 (t2) was due'],
    ['a lost turn in the replay', '1 2 REWOUND 1 2 7 8', 'stream 1: 7 (t7) where 3 (t3) was due'],
    ['a lost last turn', '|7 1 2 3 7', 'ended where 8 (t8) was due'],
    ['a repeated turn', '1 2 2 3 4 5 6', 'stream 1: 2 (t2) where 3 (t3) was due'],
    ['a repeated last turn', '|7 1 2 3 7 8 8', 'stream 1: 8 (t8) where nothing was due'],
    ['reordered turns', '1 3 2 4 5 6', 'stream 1: 3 (t3) where 2 (t2) was due'],
    ['a resumed stream that skips', '1 2 | 4 5 6', 'stream 2: 4 (t4) where 3 (t3) was due'],
    ['a resumed stream that repeats', '1 2 | 2 3 4', 'stream 2: 2 (t2) where 3 (t3) was due'],
    ['a resumed stream that starts over', '1 2 | 1 2 3', 'stream 2: 1 (t1) where 3 (t3) was due'],
    ['a missing reset', '1 2 3 4 5 6 7 8', 'stream 1: 7 (t7) where nothing was due'],
    ['a missing reset in the middle of an epoch', '1 2 3 4 7 8', 'stream 1: 7 (t7) where 5 (t5) was due'],
    ['a missing reset after a cut', '1 2 3 4 |5 7 8', 'stream 2: 7 (t7) where a reset was due'],
    ['a missing reset before the end', '1 2 3 4 5 6', 'ended where a reset was due'],
    ['a reset nobody caused', '|7 1 2 REWOUND 1 2 3 7 8', 'stream 1: a reset (REWOUND) where 3 (t3) was due'],
    ['a reset for another reason', '1 2 CLEARED', 'stream 1: a reset (CLEARED) where 3 (t3) was due'],
    [
      'a reset that is sent twice',
      '1 2 REWOUND | REWOUND 1',
      'stream 2: a reset (REWOUND) where 1 (t1) was due',
    ],
    ['a removed turn to who comes later', '|6 1 2 3 4', 'stream 1: 4 (t4) where 7 (t7) was due'],
    ['a removed turn to who resumes later', '1 2 3 4 |5 5 6', 'stream 2: 5 (t5) where a reset was due'],
    ['caught up too early', '|3 1 2 =', 'stream 1: caughtUp where 3 (t3) was due'],
    ['another text', '1 2:other', 'stream 1: 2 (other) where 2 (t2) was due'],
    ['another seq', '1 9:t2', 'stream 1: 9 (t2) where 2 (t2) was due'],
    ['a turn nobody wrote', '|7 1 2 3 7 8 9', 'stream 1: 9 (t9) where nothing was due'],
  ])('%s', (_, told, complaint) => {
    const found = complaints(history(WRITES, LEFT, '1 2 3 4 5 6 REWOUND 1 2 3 7 8', told));
    expect(found).toEqual([expect.stringMatching(/^follower 2/)]);
    expect(found[0]).toContain(complaint);
  });

  it.each([
    ['a stream that ends by itself', 'OK'],
    ['a stream that fails otherwise', 'INTERNAL DEFECT'],
    ['a session that is gone too early', 'NOT_FOUND SESSION_DELETED'],
  ])('%s', (_, end) => {
    const [one, two] = streams('1 2 3 4 | 5 6 REWOUND 1 2 3 7 8');
    const followers = [{ name: 'ann', streams: [{ ...one!, end }, two!] }];
    expect(complaints({ ...history(WRITES, LEFT), followers })).toEqual([`ann, stream 1 ended with ${end}`]);
  });

  it('a follower that was not told of the deletion', () => {
    const [only] = streams('|7 1 2 3 7 8');
    const followers = [{ name: 'ann', streams: [{ ...only!, end: 'UNAVAILABLE SERVER_STOPPING' }] }];
    expect(complaints({ ...history(WRITES, LEFT), followers })).toEqual([
      'ann, stream 1 ended with UNAVAILABLE SERVER_STOPPING',
    ]);
  });

  it('an event without a cursor, and a cursor that was not the last', () => {
    const [one, two] = streams('1 2 3 | 4 5 6');
    const blank = { ...one!, events: one!.events.map((event) => ({ ...event, cursor: '' })) };
    const followers = [
      { name: 'ann', streams: [blank] },
      { name: 'bob', streams: [one!, { ...two!, from: 'elsewhere' }] },
    ];
    expect(complaints({ ...history(WRITES, LEFT), followers })).toEqual([
      'ann, stream 1: 1 (t1) without a cursor',
      'bob, stream 2 goes on from "elsewhere" and not from "cursor 3"',
    ]);
  });
});

describe('rejects of writers', () => {
  it.each<[string, Write[], number[], string]>([
    ['a seq given twice', [append(1, 2), append(2, 3)], [1, 2, 3], '2 (t2) was acknowledged where 3 was due'],
    ['a seq given to nobody', [append(1), append(3)], [1, 3], '3 (t3) was acknowledged where 2 was due'],
    ['a seq used again', [append(1, 2), clear(2), append(2)], [2], '2 (t2) was acknowledged where 3 was due'],
    ['an append torn apart', [append(1, 3), append(2)], [1, 2, 3], '3 (t3) was acknowledged where 2 was due'],
    [
      'appends in another order',
      [append(2), append(1)],
      [1, 2],
      'the append of 2 (t2) came after a write that was sent later',
    ],
    [
      'a removal that spares what was there',
      [append(1), append(2), clear(2)],
      [2],
      'the append of 2 (t2) came after a write that was sent later',
    ],
    [
      'a removal that takes what came later',
      [append(1), clear(3), append(2), append(3)],
      [3],
      'the removal (CLEARED) before 3 came after a write that was sent later',
    ],
    [
      'a removal that counts wrongly',
      [append(1, 2, 3), { ...rewind(1, 4), removed: 3 }, append(4)],
      [1, 4],
      'the removal (REWOUND) before 4 counted 3 turns and not 2',
    ],
    [
      'an answer to somebody else',
      [{ ...append(1), texts: ['mine'] }],
      [1],
      'an append of mine was answered with t1',
    ],
    [
      'an answer without turns',
      [append(1), { ...append(), texts: ['mine'] }],
      [1],
      'an append of mine was answered with nothing',
    ],
  ])('%s', (_, writes, log, complaint) => {
    expect(complaints(history(writes, log))).toContain(complaint);
  });
});

describe('rejects of the log', () => {
  it.each([
    ['an acknowledged turn that is nowhere', [1, 2, 3, 8], 'the log has 8 (t8) where 7 (t7) is due'],
    ['an acknowledged last turn that is nowhere', [1, 2, 3, 7], 'the log has nothing where 8 (t8) is due'],
    ['a turn that was kept and is not', [1, 2, 7, 8], 'the log has 7 (t7) where 3 (t3) is due'],
    ['a removed turn that is back', [1, 2, 3, 4, 7, 8], 'the log has 4 (t4) where 7 (t7) is due'],
    ['a turn that is there twice', [1, 2, 3, 7, 8, 8], 'the log has 8 (t8) where nothing is due'],
    ['turns in another order', [1, 2, 3, 8, 7], 'the log has 8 (t8) where 7 (t7) is due'],
  ])('%s', (_, log, complaint) => {
    expect(complaints(history(WRITES, log))).toEqual([complaint]);
  });

  it('a retried append that was done twice', () => {
    const said = [...LEFT, 9].map((seq) => (seq === 9 ? { seq, text: 't8' } : turn(seq)));
    expect(complaints({ ...history(WRITES, []), log: said })).toEqual([
      'the log has 9 (t8) where nothing is due',
    ]);
  });
});

/** Write number n (from 1) is sent at n and acknowledged half a moment later. */
function history(writes: readonly Write[], log: readonly number[], ...told: string[]): History {
  return {
    writes: writes.map((write, index) => ({ ...write, ...spans(write, index + 1) })),
    followers: told.map((events, index) => ({ name: `follower ${index + 1}`, streams: streams(events) })),
    log: log.map((seq) => turn(seq)),
  };
}

function spans({ acknowledged }: Write, moment: number) {
  return { sent: moment, acknowledged: acknowledged || moment + 0.5 };
}

function append(...seqs: number[]): Append {
  const turns = seqs.map((seq) => turn(seq));
  return { kind: 'append', texts: turns.map(({ text }) => text), turns, sent: 0, acknowledged: 0 };
}

function rewind(toSeq: number, next: number): Removal {
  return { kind: 'removal', reason: 'REWOUND', toSeq, next, sent: 0, acknowledged: 0 };
}

function clear(next: number): Removal {
  return { ...rewind(0, next), reason: 'CLEARED' };
}

function turn(seq: number, text = `t${seq}`): Said {
  return { seq, text };
}

/** `1 2 | 3 = |7 REWOUND 1`: turns, a cut, being caught up, a cut and a stream opened at 7, a reset; `.` is a heartbeat. */
function streams(told: string): Stream[] {
  const all: { opened: number; from: string; events: Event[]; end: string }[] = [];
  let [cursor, events] = ['', 0];
  for (const token of told
    .replace(/^(?!\|)/, '| ')
    .trim()
    .split(' ')) {
    if (token.startsWith('|')) {
      all.push({ opened: Number(token.slice(1)), from: cursor, events: [], end: 'cut' });
    } else {
      cursor = `cursor ${++events}`;
      all.at(-1)!.events.push(event(token, cursor));
    }
  }
  all.at(-1)!.end = 'NOT_FOUND SESSION_DELETED';
  return all;
}

function event(token: string, cursor: string): Event {
  if (token === '=') return { kind: 'caughtUp', cursor };
  if (token === '.') return { kind: 'heartbeat', cursor };
  const [seq, text] = token.split(':');
  return Number(seq)
    ? { kind: 'turn', cursor, turn: turn(Number(seq), text) }
    : { kind: 'reset', cursor, reason: token };
}
