import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DataDirectoryInUseError,
  identityOf,
  isRunning,
  lockDataDirectory,
} from '../../src/redis/data_lock.ts';

const nobody = { pid: 2 ** 22 + 1, startTime: null }; // one more than the largest pid Linux gives
const contender = join(import.meta.dirname, 'fixtures', 'lock_contender.ts');

describe('the lock of a data directory', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const leave = (name: string, content: unknown) => writeFileSync(join(dir, name), JSON.stringify(content));

  it('is held by one at a time and leaves nothing behind', () => {
    const lock = lockDataDirectory(dir);
    expect(() => lockDataDirectory(dir)).toThrow(DataDirectoryInUseError);
    expect(() => lockDataDirectory(dir)).toThrow(
      `${dir} is in use by another Parley server, process ${process.pid}`,
    );
    lock.release();
    lockDataDirectory(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is not released by one who no longer has it', () => {
    const old = lockDataDirectory(dir);
    rmSync(join(dir, 'parley.lock'));
    const current = lockDataDirectory(dir);
    old.release();
    expect(() => lockDataDirectory(dir)).toThrow(DataDirectoryInUseError);
    current.release();
  });

  it('of a process that is gone is taken over', () => {
    leave('parley.lock', { ...nobody, id: 'a' });
    lockDataDirectory(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('of a process whose pid somebody else has by now is taken over', () => {
    leave('parley.lock', { pid: process.pid, startTime: 'another boot/1', id: 'a' });
    lockDataDirectory(dir).release();
  });

  it('cut short by a power failure is taken over', () => {
    writeFileSync(join(dir, 'parley.lock'), '');
    lockDataDirectory(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it("that cannot be read is nobody's to take", () => {
    mkdirSync(join(dir, 'parley.lock'));
    expect(() => lockDataDirectory(dir)).toThrow('The lock of the data directory cannot be read');
    expect(readdirSync(dir)).toEqual(['parley.lock']);
  });

  it('is taken over after somebody died taking it over', () => {
    leave('parley.lock', { ...nobody, id: 'a' });
    leave('parley.lock.a', { ...nobody, id: 'b' });
    lockDataDirectory(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('left by the dead goes to exactly one of many who come at once', async () => {
    const rounds = Array.from({ length: 40 }, (_, round) => join(dir, String(round)));
    for (const round of rounds) {
      mkdirSync(round);
      writeFileSync(join(round, 'parley.lock'), JSON.stringify({ ...nobody, id: 'a' }));
    }
    const start = String(Date.now() + 1_500);
    const contenders = Array.from({ length: 5 }, () =>
      spawn(process.execPath, [contender, start, ...rounds], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const won = await Promise.all(
      contenders.map(async ({ stdout }) => JSON.parse(String(await once(createInterface(stdout), 'line')))),
    );
    for (const { stdin } of contenders) stdin.end();
    expect(won.flat().sort()).toEqual(rounds.sort());
  });
});

describe('a process', () => {
  it('is running until it ends, and no other is mistaken for it', async () => {
    const child = spawn('sleep', ['60']);
    const identity = identityOf(child.pid!);
    expect(isRunning(identity)).toBe(true);
    expect(isRunning({ ...identity, startTime: 'another boot/1' })).toBe(false);
    child.kill();
    await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
  });

  it('is never a whole group', () => {
    for (const pid of [0, -1, 1.5, Number.NaN]) expect(isRunning({ pid, startTime: null })).toBe(false);
  });
});
