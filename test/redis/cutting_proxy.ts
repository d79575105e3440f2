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
  /** How often it hung up, cutAll() apart. */
  readonly cuts: number;
  /** Hangs up once, on whoever says this word next: Redis does what it was told, and its answer is lost. */
  cutAt(word: string): void;
  /** Hangs up on whoever connects from now on, somewhere in so many bytes of answers. */
  cutWithin(bytes: number): void;
  /** Hangs up on nobody any more. */
  cutNoMore(): void;
  /** Hangs up on everybody. */
  cutAll(): void;
}

interface Link {
  readonly near: Socket;
  readonly far: Socket;
  /** How many bytes of answers it lets through. */
  left: number;
}

/** `target`: Redis's Unix socket. Gone with the test. */
export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const path = join(dir, 'proxy.sock');
  const links = new Set<Link>();
  let word: string | undefined;
  let life = () => Number.POSITIVE_INFINITY;
  let cuts = 0;
  const server = createServer((near) => {
    const link = { near, far: connect(target), left: life() };
    const { far } = link;
    links.add(link);
    near.on('data', (bytes) => {
      if (word !== undefined && bytes.includes(word)) {
        word = undefined;
        link.left = 0;
      }
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      near.write(bytes.subarray(0, link.left));
      link.left -= bytes.length;
      if (link.left >= 0 || near.destroyed) return;
      near.destroySoon();
      cuts++;
    });
    for (const end of [near, far]) {
      end.on('error', () => {});
      end.on('close', () => hangUp(link));
    }
  });
  const hangUp = (link: Link) => {
    link.near.destroy();
    link.far.destroy();
    links.delete(link);
  };
  const cutAll = () => {
    for (const link of links) hangUp(link);
  };
  server.listen(path);
  await once(server, 'listening');
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
    cutWithin: (bytes) => {
      life = () => Math.ceil(Math.random() * bytes);
    },
    cutNoMore: () => {
      life = () => Number.POSITIVE_INFINITY;
      for (const link of links) link.left = life();
    },
    cutAll,
  };
}
