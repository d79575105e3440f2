/** Starts the bare grpc-js servers that Parley is compared with. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from './server_process.ts';

export interface Bare extends AsyncDisposable {
  readonly address: string;
  readonly pid: number;
}

/** Starts `<name>_server.ts`, and hands it `script` in a file. */
export async function startBare(name: string, script: object): Promise<Bare> {
  const folder = mkdtempSync(join(tmpdir(), `parley-bench-${name}-`));
  const file = join(folder, 'script.json');
  writeFileSync(file, JSON.stringify(script));
  const program = new URL(`${name}_server.ts`, import.meta.url).pathname;
  const server = new ServerProcess(name, program, [file], process.env);
  const stop = async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { address: await server.address(), pid: server.pid, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
