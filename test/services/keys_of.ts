import { createConnection } from 'node:net';
import { inject } from 'vitest';
import type { Parley } from '../harness.ts';

/** The keys Redis holds of a session. */
export async function keysOf({ keyPrefix }: Parley, sessionId: string): Promise<string[]> {
  const socket = createConnection(inject('redisUrl'));
  socket.setEncoding('utf8').write(`KEYS ${keyPrefix}:*${sessionId}*\r\nQUIT\r\n`);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text.split('\r\n').filter((line) => line.includes(sessionId));
}
