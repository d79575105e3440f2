/** Starts the bare grpc-js server that Parley is compared with. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from './server_process.ts';

export interface Echo extends AsyncDisposable {
  readonly address: string;
  readonly pid: number;
}

/** An echo that answers the method at `path` with `response`, the bytes Parley gave. */
export async function startEcho(path: string, response: Uint8Array): Promise<Echo> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-echo-'));
  const file = join(folder, 'responses.json');
  writeFileSync(file, JSON.stringify({ [path]: Buffer.from(response).toString('base64') }));
  const script = new URL('echo_server.ts', import.meta.url).pathname;
  const server = new ServerProcess('echo', script, [file], process.env);
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
