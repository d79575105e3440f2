import { describe, expect, it } from 'vitest';
import { Live } from '../../src/chat/live.ts';
import type { Fresh } from '../../src/chat/tail.ts';

/** A follower who waits behind turn 5, unless it is said that he does not want turns. */
function waiting({ behind = false, turns = true } = {}) {
  const abort = new AbortController();
  const sent: string[] = [];
  const listener = { signal: abort.signal, isBehind: behind, send: (event: string) => sent.push(event) };
  const live = new Live<string>(listener);
  live.seq = 5;
  let woken = false;
  const wait = live.wait(60_000, turns).then(() => {
    woken = true;
  });
  const isWoken = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return woken;
  };
  return { live, sent, isWoken, wait, leave: () => abort.abort(new Error('left')) };
}

function fresh(...seqs: number[]): Fresh<string> {
  return { after: seqs[0]! - 1, turns: seqs.map((seq) => ({ seq, event: `turn ${seq}`, bytes: 10 })) };
}

describe('one who waits at the end of a log', () => {
  it('is sent turns as they come, and waits on', async () => {
    const { live, sent, isWoken } = waiting();
    live.ring(fresh(6));
    live.ring(fresh(7, 8));
    expect(sent).toEqual(['turn 6', 'turn 7', 'turn 8']);
    expect(live.seq).toBe(8);
    expect(await isWoken()).toBe(false);
  });

  it.each([
    ['when something else changed', {}, undefined],
    ['when turns came that he is not next to', {}, fresh(7)],
    ['when turns came that he has', {}, fresh(5)],
    ['when he is behind with reading', { behind: true }, fresh(6)],
    ['when turns are not all he wants', { turns: false }, fresh(6)],
  ])('is woken instead %s, and sent nothing until he waits again', async (_, how, news) => {
    const { live, sent, isWoken } = waiting(how);
    live.ring(news);
    live.ring(fresh(6));
    expect(await isWoken()).toBe(true);
    expect(sent).toEqual([]);
    expect(live.seq).toBe(5);
  });

  it('waits no longer when he leaves', async () => {
    const { wait, leave } = waiting();
    leave();
    await expect(wait).rejects.toThrow('left');
  });
});
