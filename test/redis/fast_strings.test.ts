import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Whether V8 has `String.prototype` ready for fast access, in a process that loaded a module. */
async function fastAfter(module: string): Promise<boolean> {
  const script = `await import(${JSON.stringify(module)}); console.log(%HasFastProperties(String.prototype))`;
  const args = ['--allow-natives-syntax', '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout.trim() === 'true';
}

it('strings are as fast with our connection as before, though ioredis slows them down', async () => {
  expect(await fastAfter(new URL('../../src/redis/connection.ts', import.meta.url).href)).toBe(true);
  // Once this is no longer so, there is nothing left to do for `fast_strings.ts`.
  expect(await fastAfter('ioredis')).toBe(false);
});
