/** One FollowTurns stream, written down as it arrives. */
import { ConnectError } from '@connectrpc/connect';
import { type FollowTurnsResponse, ResetReasonSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import type { Turn } from '../../gen/parley/v1/content_pb.ts';
import { connect } from '../harness.ts';
import { summary } from '../refusal.ts';
import type { Event, Said } from './history.ts';

/** A stream while it is recorded; `end` is `open` until it has one. */
export interface RecordedStream {
  readonly opened: number;
  readonly from: string;
  readonly events: Event[];
  end: string;
}

export function newStream(opened = 0, from = ''): RecordedStream {
  return { opened, from, events: [], end: 'open' };
}

/**
 * Reads a stream to its end, over a connection of its own. With a `life`, it is
 * cut after so many milliseconds: the call is cancelled, or the connection gone.
 */
export async function read(
  address: string,
  sessionId: string,
  stream: RecordedStream,
  life?: number,
): Promise<void> {
  const { chat, close } = connect(address);
  const abort = new AbortController();
  let cut = false;
  const cutOff = () => {
    cut = true;
    if (Math.random() < 0.5) close();
    else abort.abort();
  };
  const timer = life === undefined ? undefined : setTimeout(cutOff, life);
  try {
    const from = stream.from ? { case: 'cursor' as const, value: stream.from } : { case: undefined };
    for await (const message of chat.followTurns({ sessionId, from }, { signal: abort.signal })) {
      stream.events.push(eventOf(message));
    }
    stream.end = 'OK';
  } catch (error) {
    stream.end = cut ? 'cut' : summary(ConnectError.from(error));
  } finally {
    clearTimeout(timer);
    close();
  }
}

export function said({ seq, parts }: Turn): Said {
  const texts = parts.map(({ content }) => (content.case === 'text' ? content.value : `a ${content.case}`));
  return { seq, text: texts.join() };
}

function eventOf({ cursor, event }: FollowTurnsResponse): Event {
  switch (event.case) {
    case 'turn':
      return { kind: 'turn', cursor, turn: said(event.value) };
    case 'reset':
      return { kind: 'reset', cursor, reason: ResetReasonSchema.value[event.value.reason]!.localName };
    case 'caughtUp':
    case 'heartbeat':
      return { kind: event.case, cursor };
    default:
      throw new Error(`a message with ${event.case ?? 'no event'}`);
  }
}
