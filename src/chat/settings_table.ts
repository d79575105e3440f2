/** The settings configs and participants may hold, by the names OpenAI gave them, and what is a value of each. */
import type { Generation, Tool } from '../models/model.ts';
import { isObject, type Json } from '../structs/json.ts';

/** A value, or what it must be: completes a sentence that begins with the setting's name. */
export type Read = { value: unknown; problem?: undefined } | { value?: undefined; problem: string };

export interface Setting {
  readonly key: SettingKey;
  readonly property: keyof Generation;
  read(json: Json): Read;
}

export type SettingKey =
  | 'model'
  | 'temperature'
  | 'top_p'
  | 'max_tokens'
  | 'seed'
  | 'presence_penalty'
  | 'frequency_penalty'
  | 'stop'
  | 'response_format'
  | 'tool_choice'
  | 'tools';

export const SETTINGS: readonly Setting[] = [
  { key: 'model', property: 'model', read: readName },
  { key: 'temperature', property: 'temperature', read: (json) => readNumber(json, 0, 2) },
  { key: 'top_p', property: 'topP', read: (json) => readNumber(json, 0, 1) },
  { key: 'max_tokens', property: 'maxTokens', read: readCount },
  { key: 'seed', property: 'seed', read: readInteger },
  { key: 'presence_penalty', property: 'presencePenalty', read: (json) => readNumber(json, -2, 2) },
  { key: 'frequency_penalty', property: 'frequencyPenalty', read: (json) => readNumber(json, -2, 2) },
  { key: 'stop', property: 'stop', read: readStop },
  { key: 'response_format', property: 'responseFormat', read: readObject },
  { key: 'tool_choice', property: 'toolChoice', read: readName },
  { key: 'tools', property: 'tools', read: readTools },
];

const MOST_STOPS = 4;

function readName(json: Json): Read {
  return typeof json === 'string' && json !== ''
    ? { value: json }
    : { problem: 'must be a non-empty string' };
}

function readNumber(json: Json, from: number, to: number): Read {
  const fits = typeof json === 'number' && json >= from && json <= to;
  return fits ? { value: json } : { problem: `must be a number from ${from} to ${to}` };
}

function readInteger(json: Json): Read {
  return Number.isSafeInteger(json) ? { value: json } : { problem: 'must be an integer' };
}

function readCount(json: Json): Read {
  const fits = Number.isSafeInteger(json) && (json as number) >= 1;
  return fits ? { value: json } : { problem: 'must be an integer of at least 1' };
}

function readStop(json: Json): Read {
  const stops = Array.isArray(json) ? json : [json];
  const fits = stops.length <= MOST_STOPS && stops.every((stop) => typeof stop === 'string' && stop !== '');
  return fits
    ? { value: stops }
    : { problem: `must be a non-empty string, or an array of at most ${MOST_STOPS} of them` };
}

function readObject(json: Json): Read {
  return isObject(json) ? { value: json } : { problem: 'must be an object' };
}

function readTools(json: Json): Read {
  if (!Array.isArray(json)) return { problem: 'must be an array of tools' };
  const tools: Tool[] = [];
  for (const [index, item] of json.entries()) {
    const tool = readTool(item);
    if (typeof tool === 'string') return { problem: `[${index}] ${tool}` };
    if (tools.some(({ name }) => name === tool.name))
      return { problem: `[${index}] has a name that is taken: ${JSON.stringify(tool.name)}` };
    tools.push(tool);
  }
  return { value: tools };
}

/** A tool as Parley has it, or in OpenAI's wrapping (`{"type": "function", "function": {…}}`); else what is wrong. */
function readTool(json: Json): Tool | string {
  if (!isObject(json)) return 'must be an object';
  if (json.type !== undefined && json.type !== 'function') return 'has a type that is not `function`';
  const tool = json.function ?? json;
  if (!isObject(tool)) return 'has a `function` that is no object';
  const { name, description = null, parameters = null } = tool;
  if (typeof name !== 'string' || name === '') return 'must have a name';
  if (description !== null && typeof description !== 'string') return 'has a description that is no string';
  if (parameters !== null && !isObject(parameters)) return 'has parameters that are no object';
  return { name, description: description ?? '', parameters: parameters ?? undefined };
}
