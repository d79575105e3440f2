/**
 * How an answer is to be made: what the request says, over the agent's settings, over the session's configs, over
 * the server's default. Each setting is looked up for itself; null is as good as absent, and keys that are no
 * settings are the application's own. Only the value that comes into force is checked: a bad one further down
 * harms nobody.
 */
import { fieldInvalid, ParleyError } from '../errors.ts';
import type { Generation } from '../models/model.ts';
import type { Participant } from '../sessions/session.ts';
import type { JsonObject } from '../structs/json.ts';
import { SETTINGS, type SettingKey } from './settings_table.ts';

export interface GenerationLayers {
  /** What the request says; it has been checked, but for the name in `toolChoice`. */
  readonly request: Partial<Generation>;
  /** Who is to answer; undefined when nobody is named. */
  readonly agent: Participant | undefined;
  /** Undefined while they are unset. */
  readonly configs: JsonObject | undefined;
  readonly defaultModel: string;
}

/** The settings of an answer. A value nobody can use is SETTINGS_INVALID, which says where it came from. */
export function resolveGeneration({ request, agent, configs, defaultModel }: GenerationLayers): Generation {
  const layers = [agent && settingsOf(agent), configs && { ...CONFIGS, values: configs }].filter(
    (layer) => layer !== undefined,
  );
  const found: Record<string, unknown> = {};
  const from: Partial<Record<SettingKey, Layer>> = {};
  for (const setting of SETTINGS) {
    const asked = request[setting.property];
    if (asked !== undefined && asked !== '') {
      found[setting.property] = asked;
      continue;
    }
    const layer = layers.find(
      ({ values }) => Object.hasOwn(values, setting.key) && values[setting.key] !== null,
    );
    if (!layer) continue;
    const { value, problem } = setting.read(layer.values[setting.key]!);
    if (problem !== undefined) throw settingInvalid(layer, setting.key, problem);
    found[setting.property] = value;
    from[setting.key] = layer;
  }
  const generation = { model: defaultModel, ...found } as Generation;
  return withToolChoice(generation, from.tool_choice);
}

interface Layer {
  readonly values: JsonObject;
  /** Where it is, to a person. */
  readonly prefix: string;
  /** Where it is, as a field path. */
  readonly path: string;
}

const CONFIGS = { prefix: 'configs.', path: 'configs.' };

function settingsOf({ participantId, settings }: Participant): Layer {
  const id = JSON.stringify(participantId);
  return {
    values: settings,
    prefix: `participant ${id}: settings.`,
    path: `participants[${id}].settings.`,
  };
}

/** Providers refuse a choice among no tools: then `auto` and `none` say nothing, and what else there is is wrong. */
function withToolChoice(generation: Generation, from: Layer | undefined): Generation {
  const { toolChoice, tools = [] } = generation;
  if (toolChoice === undefined) return generation;
  const problem = choiceProblem(toolChoice, new Set(tools.map(({ name }) => name)));
  if (problem !== undefined && from) throw settingInvalid(from, 'tool_choice', problem);
  if (problem !== undefined) throw fieldInvalid('generation.tool_choice', problem);
  return tools.length === 0 ? { ...generation, toolChoice: undefined } : generation;
}

function choiceProblem(choice: string, tools: ReadonlySet<string>): string | undefined {
  if (choice === 'auto' || choice === 'none') return undefined;
  if (choice === 'required') return tools.size > 0 ? undefined : 'is `required`, and there are no tools';
  return tools.has(choice) ? undefined : `names no tool there is: ${JSON.stringify(choice)}`;
}

function settingInvalid(layer: Layer, key: SettingKey, description: string): ParleyError {
  return new ParleyError('SETTINGS_INVALID', `${layer.prefix}${key}: ${description}`, {
    fields: [{ field: `${layer.path}${key}`, description }],
  });
}
