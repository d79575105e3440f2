/** What callers ask a model, as the domain takes it. */
import {
  Concurrency,
  type Generation as GenerationMessage,
  OnDisconnect,
  type Tool as ToolMessage,
} from '../../gen/parley/v1/chat_service_pb.ts';
import type { Message } from '../../gen/parley/v1/content_pb.ts';
import type { Ask, AskSettings } from '../chat/ask.ts';
import type { TurnCounter } from '../chat/tokens.ts';
import { fieldInvalid } from '../errors.ts';
import type { Generation, Tool } from '../models/model.ts';
import { newTurns } from './turn_messages.ts';

/** What ChatRequest, GetContextRequest and Open have in common. */
interface AskMessage {
  readonly generation?: GenerationMessage | undefined;
  readonly participantId: string;
  readonly concurrency?: Concurrency;
  readonly onDisconnect?: OnDisconnect;
}

/** Messages with how they are to be answered. */
export async function askOf(
  settings: AskSettings,
  messages: readonly Message[],
  count: TurnCounter,
): Promise<Ask> {
  return { ...settings, turns: await newTurns(messages, count) };
}

export function askSettings(request: AskMessage): AskSettings {
  return {
    generation: generationFrom(request.generation),
    participantId: request.participantId,
    concurrency: CONCURRENCIES[request.concurrency ?? 0] ?? 'REJECT',
    cancelWhenLost: request.onDisconnect === OnDisconnect.CANCEL,
  };
}

const CONCURRENCIES: Readonly<Record<number, AskSettings['concurrency']>> = {
  [Concurrency.ENQUEUE]: 'ENQUEUE',
  [Concurrency.INTERRUPT]: 'INTERRUPT',
};

/** What is set of it; an empty text or list is not. */
function generationFrom(message: GenerationMessage | undefined): Partial<Generation> {
  if (!message) return {};
  const { model, toolChoice, stop, tools, seed, responseFormat } = message;
  const { temperature, topP, maxTokens, presencePenalty, frequencyPenalty } = message;
  return {
    ...(model !== '' && { model }),
    temperature,
    topP,
    maxTokens,
    seed: seed === undefined ? undefined : Number(seed),
    presencePenalty,
    frequencyPenalty,
    responseFormat,
    toolChoice: toolChoice || undefined,
    stop: stop.length > 0 ? stop : undefined,
    tools: tools.length > 0 ? toolsFrom(tools) : undefined,
  };
}

/** No provider takes two of a name. */
function toolsFrom(messages: readonly ToolMessage[]): Tool[] {
  const names = new Set<string>();
  return messages.map(({ name, description, parameters }, index) => {
    if (names.has(name)) throw fieldInvalid(`generation.tools[${index}].name`, 'is the name of another tool');
    names.add(name);
    return { name, description, parameters };
  });
}
