/**
 * redis-om holds the schemas and builds the queries; it never gets to send
 * anything itself.
 *
 * Its `createIndex()` drops and rebuilds the index of a running system when two
 * versions of the code disagree, and its searches can neither set a time-out nor
 * leave the count out. So its Repository sits on a connection that notes what it
 * would create, and its Search is asked for the query text alone. It only ever
 * sees values this service made: hashed tokens, and times that are whole numbers.
 */
import { type RedisConnection, Repository, Schema } from 'redis-om';
import type { SessionOrder } from '../sessions/store.ts';
import type { Keys } from './keys.ts';

/** The fields by which sessions are found. Change them together with `SESSION_INDEX_VERSION`. */
export function sessionSchema(keys: Keys): Schema {
  return new Schema(
    keys.sessionPrefix.slice(0, -1), // redis-om adds the colon
    {
      tokens: { type: 'string[]', path: '$.tokens[*]' },
      createTime: { type: 'number', path: '$.createTime', sortable: true },
      updateTime: { type: 'number', path: '$.updateTime', sortable: true },
    },
    { dataStructure: 'JSON', useStopWords: 'OFF', indexName: keys.sessionIndex },
  );
}

/** Later than any session. */
export const FOREVER = Number.MAX_SAFE_INTEGER;

/** Builds the texts of session queries. */
export class SessionQueries {
  readonly #repository: Repository;

  constructor(keys: Keys) {
    this.#repository = new Repository(sessionSchema(keys), deafConnection());
  }

  /** Sessions with all of these tokens, and a time between `from` and `to`, both included. */
  text(tokens: readonly string[], by: SessionOrder['by'], from: number, to: number): string {
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to))
      throw new RangeError('times are whole microseconds');
    // Built from the narrowest condition outwards; the order is free for Redis, which plans by size.
    let search = this.#repository.search();
    // All of time is no condition, and yet one that Redis would hold against every session there is.
    if (from > 0 || to < FOREVER) search = search.where(by).between(from, to);
    for (const token of tokens) search = search.and('tokens').contains(token);
    return (search as unknown as { query: string }).query;
  }
}

/** The FT.CREATE arguments, behind the index name, that redis-om makes of a schema. */
export async function createArguments(schema: Schema): Promise<string[]> {
  let noted: string[] = [];
  const connection = deafConnection((fields, { ON, PREFIX, STOPWORDS }) => {
    noted = ['ON', ON, 'PREFIX', '1', PREFIX];
    if (STOPWORDS) noted.push('STOPWORDS', String(STOPWORDS.length), ...STOPWORDS);
    noted.push('SCHEMA', ...Object.entries(fields).flatMap(([path, field]) => fieldArguments(path, field)));
  });
  await new Repository(schema, connection).createIndex();
  return noted;
}

/** How redis-om describes an index to node-redis. */
interface IndexOptions {
  ON: string;
  PREFIX: string;
  STOPWORDS?: string[];
}
interface IndexField {
  type: string;
  AS?: string;
  SEPARATOR?: string;
  CASESENSITIVE?: true;
  SORTABLE?: true | 'UNF';
}

function fieldArguments(path: string, { type, AS, SORTABLE }: IndexField): string[] {
  const name = AS ? [path, 'AS', AS] : [path];
  // Tokens are stored and asked for in lower case; case folding would only cost.
  return [...name, type, ...(type === 'TAG' ? ['CASESENSITIVE'] : []), ...(SORTABLE ? ['SORTABLE'] : [])];
}

/** A connection that says yes to everything, and hands on what index redis-om wants made. */
function deafConnection(
  onCreate: (fields: Record<string, IndexField>, options: IndexOptions) => void = () => {},
): RedisConnection {
  const connection = {
    get: async () => null,
    set: async () => 'OK',
    unlink: async () => 0,
    ft: {
      create: async (_index: string, fields: Record<string, IndexField>, options: IndexOptions) =>
        onCreate(fields, options),
      dropIndex: async () => 'OK',
    },
  };
  return connection as unknown as RedisConnection;
}
