/** Parts of what is said: the domain's as proto messages, and back. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  Media as MediaMessage,
  Part as PartMessage,
  PartSchema,
} from '../../gen/parley/v1/content_pb.ts';
import type { Media, Part } from '../chat/content.ts';

type PartInit = MessageInitShape<typeof PartSchema>;

export function partMessage(part: Part): PartInit {
  switch (part.kind) {
    case 'text':
    case 'reasoning':
    case 'refusal':
      return { content: { case: part.kind, value: part.text } };
    case 'image':
    case 'file':
      return { content: { case: part.kind, value: mediaMessage(part) } };
    case 'toolCall': {
      const { id, name, arguments: text } = part;
      return { content: { case: 'toolCall', value: { id, name, arguments: text } } };
    }
    case 'toolResult': {
      const { toolCallId, name, content, isError } = part;
      return { content: { case: 'toolResult', value: { toolCallId, name, content, isError } } };
    }
  }
}

/** The parts of a message; what a later version knows and this one does not is left out. */
export function partsFrom(messages: readonly PartMessage[]): Part[] {
  return messages.map(partFrom).filter((part) => part !== undefined);
}

function partFrom({ content }: PartMessage): Part | undefined {
  switch (content.case) {
    case 'text':
    case 'reasoning':
    case 'refusal':
      return { kind: content.case, text: content.value };
    case 'image':
    case 'file':
      return { kind: content.case, ...mediaFrom(content.value) };
    case 'toolCall': {
      const { id, name, arguments: text } = content.value;
      return { kind: 'toolCall', id, name, arguments: text };
    }
    case 'toolResult': {
      const { toolCallId, name, content: result, isError } = content.value;
      return { kind: 'toolResult', toolCallId, name, content: result, isError };
    }
    case undefined:
      return undefined;
  }
}

function mediaMessage({ source, mimeType, name }: Media) {
  const from =
    'uri' in source
      ? { case: 'uri' as const, value: source.uri }
      : { case: 'data' as const, value: source.data };
  return { source: from, mimeType, name };
}

function mediaFrom({ source, mimeType, name }: MediaMessage): Media {
  const from = source.case === 'data' ? { data: source.value } : { uri: source.value ?? '' };
  return { source: from, mimeType, name };
}
