/** What people and agents say in the scenarios of ChatService, and sessions in which they have said it. */
import { ChatService } from '../../../gen/parley/v1/chat_service_pb.ts';
import { Role } from '../../../gen/parley/v1/content_pb.ts';
import type { ParleyClient } from '../client.ts';
import { createSessions, type SessionInit } from './sessions.ts';

/** A short turn. */
export const LINE = 'Where is my parcel? It should have been here on Tuesday.';

/** What is answered: longer, as answers are. */
const ANSWER = `Your parcel left our warehouse on Monday and is with the carrier now. ${'It is on its way. '.repeat(10)}`;

/** As many turns as one call may append. */
const LARGEST_APPEND = 1000;

/** Calls under way at once. */
const AT_ONCE = 16;

/** Returns the ids of `count` new sessions in which `turns` turns have been said, people and agents in turn. */
export async function createTalks(
  client: ParleyClient,
  count: number,
  turns: number,
  session: SessionInit = {},
): Promise<string[]> {
  const ids = await createSessions(client, count, session);
  for (let done = 0; done < turns; done += LARGEST_APPEND) {
    const messages = talk(Math.min(LARGEST_APPEND, turns - done));
    for (let i = 0; i < count; i += AT_ONCE) {
      const batch = ids.slice(i, i + AT_ONCE);
      await Promise.all(
        batch.map((sessionId) => client.call(ChatService.method.appendTurns, { sessionId, messages })),
      );
    }
  }
  return ids;
}

function talk(turns: number): { role: Role; content: string }[] {
  return Array.from({ length: turns }, (_, i) =>
    i % 2 === 0 ? { role: Role.USER, content: LINE } : { role: Role.ASSISTANT, content: ANSWER },
  );
}
