/**
 * Paging by token (https://google.aip.dev/158).
 *
 * A token says where to go on, and carries a checksum over that and over the
 * request it belongs to, which finds mistakes and not forgers. So what it says is
 * checked like any other input; a forged one leads nowhere its caller could not
 * go, since the namespace comes from the request.
 */
import { hash } from 'node:crypto';
import { type DescMessage, type Message, toBinary, toJson } from '@bufbuild/protobuf';
import canonicalize from 'canonicalize';
import { ParleyError } from '../errors.ts';
import { messageOf } from './fields.ts';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;
/** A page ends early rather than outgrow the 4 MiB a gRPC client takes by default. */
export const MAX_PAGE_BYTES = 3 * 1024 * 1024;

/** Any request of a List method. */
export interface PagedRequest extends Message {
  pageSize: number;
  pageToken: string;
}

/** Whether a token says a number: a place in lists that are numbered. */
export function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** One page in the making; `Position` must be plain JSON. */
export class Page<Position> {
  readonly size: number;
  /** Where the last page ended; undefined on the first. */
  readonly after: Position | undefined;
  readonly items: Uint8Array[] = [];
  #bytes = 0;
  #last: Position | undefined;
  #more = false;
  readonly #schema: DescMessage;
  readonly #request: PagedRequest;
  #binding: string | undefined;

  /** `isPosition`: whether what a token says is a place in this list. */
  constructor(schema: DescMessage, request: PagedRequest, isPosition: (value: unknown) => value is Position) {
    this.size = Math.min(request.pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
    this.#schema = schema;
    this.#request = request;
    this.after = request.pageToken === '' ? undefined : this.#open(request.pageToken, isPosition);
  }

  /** Takes an encoded item; false when the page is full, and the item begins the next one. */
  add(item: Uint8Array, position: Position): boolean {
    const full =
      this.items.length === this.size || (this.#bytes > 0 && this.#bytes + item.length > MAX_PAGE_BYTES);
    if (full) {
      this.#more = true;
      return false;
    }
    this.items.push(item);
    this.#bytes += item.length;
    this.#last = position;
    return true;
  }

  /** Empty when nothing was left over. */
  get nextPageToken(): string {
    return this.#more ? this.tokenAfter(this.#last!) : '';
  }

  /** For pages that are not put together here: where the next one begins. */
  tokenAfter(last: Position): string {
    const position = JSON.stringify(last);
    return `${Buffer.from(position).toString('base64url')}.${this.#checksum(position)}`;
  }

  #open(token: string, isPosition: (value: unknown) => value is Position): Position {
    const [encoded = '', checksum] = token.split('.');
    const text = Buffer.from(encoded, 'base64url').toString();
    const position: unknown = checksum === this.#checksum(text) ? parsed(text) : undefined;
    if (isPosition(position)) return position;
    throw new ParleyError('PAGE_TOKEN_INVALID', 'page_token is damaged, or belongs to another request', {
      fields: [{ field: 'page_token', description: 'is damaged, or belongs to another request' }],
    });
  }

  #checksum(position: string): string {
    this.#binding ??= bindingOf(this.#schema, this.#request);
    return hash('sha256', `${this.#binding}\n${position}`, 'base64url').slice(0, 16);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a token is bound to: the request but for what may change between pages. */
function bindingOf(schema: DescMessage, request: PagedRequest): string {
  const bound = { ...request, pageSize: 0, pageToken: '', ...('skip' in request && { skip: 0 }) };
  // A client may put the keys of a Struct in another order; where there is none, the bytes say the same for less.
  const text = hasStruct(schema)
    ? canonicalize(toJson(schema, bound))
    : Buffer.from(toBinary(schema, bound)).toString('latin1');
  return `${schema.typeName} ${text}`;
}

function hasStruct({ fields }: DescMessage): boolean {
  return fields.some((field) => messageOf(field)?.typeName === 'google.protobuf.Struct');
}
