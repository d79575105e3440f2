/**
 * Sessions with documents, of words as they are in books: a few everywhere, most of them seldom. What is written in
 * one session differs from what is in the next, but for the words everybody uses.
 */
import { DocumentService } from '../../../gen/parley/v1/document_service_pb.ts';
import { SERIAL, serialBody } from '../bodies.ts';
import { pathOf } from '../client.ts';
import type { ParleyServer } from '../parley_server.ts';
import type { Stage } from '../stage.ts';
import { createSessions } from './sessions.ts';

/** Documents of one session. */
export const SHELF = 100;
const VOCABULARY = 20_000;
const LOADING_CALLERS = 32;
const method = DocumentService.method.createDocument;

/** The text of a document; the same number gives the same text. */
export function textOf(seed: number, bytes: number): string {
  let state = seed * 2654435761 + 1;
  let text = '';
  while (text.length < bytes) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const rank = Math.floor(VOCABULARY ** (state / 2 ** 32)); // Zipf: the nth word is n times rarer than the first
    text += `${word(rank)}${state % 11 === 0 ? '. ' : ' '}`;
  }
  return text.slice(0, bytes);
}

/** English as far as it goes; rarer words are put together of two, as names are. */
function word(rank: number): string {
  const [first, second] = [
    WORDS[rank % WORDS.length]!,
    WORDS[Math.floor(rank / WORDS.length) % WORDS.length]!,
  ];
  return rank < WORDS.length ? first : `${second}${first}`;
}

const WORDS =
  `the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one
you were all her she there would their we him been has when who will no more if out so up said what its about than
into them can only other time new some could these two may first then do any like my now over such our man me even
most made after also did many before must through years where much your way well down should because long each just
state people those mister how too little good world make very year still see work life men day both between being
under three never know same last another while us off might great go come since against right came take used himself
few house use place during high without again home around small however found thought went say part once general upon
school every does got united left number course war until always away something fact water though less public put
almost hand enough far took head yet government system better set told nothing night end why called find going look
asked later point knew next city business give group toward young days let room within children side social given
order often light keeper storm harbour letter river stone window garden winter captain island lamp market church
bridge forest doctor village train paper silver morning mountain field engine music summer horse table glass coat
ship bread wall road bell corn wool oil salt gold iron clock rope sail wheel stair roof gate key boat tower`.split(
    /\s+/,
  );

/** What is asked for: words that most documents have, some that few have. */
export const QUESTION = [150, 180, 260, 300, 900, 4000].map(word).join(' ');

/** A session of {@link SHELF} documents, each its own; its id. */
export async function createShelf({ client }: ParleyServer): Promise<string> {
  const [sessionId] = await createSessions(client, 1);
  for (let at = 0; at < SHELF; at += 10) {
    const batch = Array.from({ length: 10 }, (_, n) => {
      const number = at + n;
      const document = { title: `Page ${number}`, content: textOf(number, 1000) };
      return client.call(method, { sessionId: sessionId!, document });
    });
    await Promise.all(batch);
  }
  return sessionId!;
}

/** Fills other sessions with `count` documents, a multiple of {@link SHELF}. */
export async function populate(stage: Stage, parley: ParleyServer, count: number): Promise<object> {
  const ids = await createSessions(parley.client, count / SHELF);
  const encoded = ids.map((sessionId, n) =>
    serialBody(method, {
      sessionId,
      document: { content: textOf(1000 + n, 1000), metadata: { serial: SERIAL } },
    }),
  );
  const measured = await stage.generator.run({
    address: parley.address,
    path: pathOf(method),
    bodies: encoded.map(({ body }) => body),
    serialAt: encoded.map(({ serialAt }) => serialAt),
    connections: 4,
    callers: LOADING_CALLERS,
    warmUpSeconds: 0,
    until: { calls: count },
    watch: parley.pids,
  });
  return { documents: count, documentsPerSecond: Math.round(measured.callsPerSecond) };
}
