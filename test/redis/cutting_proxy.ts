/** Stands between us and a Redis, and hangs up when it is told to. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface CuttingProxy {
  /** What REDIS_URL takes. */
  readonly path: string;
  /** How often it hung up because of a word. */
  readonly cuts: number;
  /** Hangs up once, on whoever says this word next: Redis does what it was told, and its answer is lost. */
  cutAt(word: string): void;
  /** Hangs up on everybody. */
  cutAll(): void;
}

/** `target`: Redis's Unix socket. Gone with the test. */
export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const path = join(dir, 'proxy.sock');
  const sockets = new Set<Socket>();
  let word: string | undefined;
  let cuts = 0;
  const server = createServer((near) => {
    const far = connect(target);
    let cut = false;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => [near, far].map((end) => end.destroy()));
    }
    near.on('data', (bytes) => {
      if (word !== undefined && bytes.includes(word)) {
        word = undefined;
        cuts++;
        cut = true;
      }
      far.write(bytes);
    });
    // Redis has done it by the time it answers.
    far.on('data', (bytes) => (cut ? near.destroy() : near.write(bytes)));
  });
  server.listen(path);
  await once(server, 'listening');
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    server.close();
    cutAll();
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    path,
    get cuts() {
      return cuts;
    },
    cutAt: (next) => {
      word = next;
    },
    cutAll,
  };
}
