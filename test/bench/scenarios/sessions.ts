/** Sessions of twenty configs keys, made through the plain client before the measuring starts. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type SessionSchema, SessionService } from '../../../gen/parley/v1/session_service_pb.ts';
import { TWENTY_KEYS } from '../bodies.ts';
import type { ParleyClient } from '../client.ts';

export type SessionInit = MessageInitShape<typeof SessionSchema>;

/** Returns the ids of `count` new sessions, made fifty at a time. */
export async function createSessions(
  client: ParleyClient,
  count: number,
  session: SessionInit = {},
): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const batch = Array.from({ length: Math.min(50, count - ids.length) }, () =>
      client.call(SessionService.method.createSession, { session: { configs: TWENTY_KEYS, ...session } }),
    );
    ids.push(...(await Promise.all(batch)).map(({ message }) => message.session!.sessionId));
  }
  return ids;
}
