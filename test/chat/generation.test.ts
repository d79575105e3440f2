import { describe, expect, it } from 'vitest';
import { resolveGeneration } from '../../src/chat/generation.ts';
import { ParleyError } from '../../src/errors.ts';
import type { Generation } from '../../src/models/model.ts';
import type { Participant } from '../../src/sessions/session.ts';
import type { Json, JsonObject } from '../../src/structs/json.ts';

function tutor(settings: JsonObject): Participant {
  return {
    participantId: 'tutor',
    kind: 'AGENT',
    displayName: '',
    instructions: '',
    settings,
    joinedSeq: 0,
    bindTime: 0,
  };
}

function resolved(request: Partial<Generation>, settings?: JsonObject, configs?: JsonObject): Generation {
  return resolveGeneration({ request, agent: settings && tutor(settings), configs, defaultModel: 'echo' });
}

function refusal(work: () => unknown): ParleyError {
  try {
    work();
  } catch (error) {
    if (error instanceof ParleyError) return error;
  }
  throw new Error('was not refused');
}

const look: JsonObject = { name: 'look', description: 'Looks it up', parameters: { type: 'object' } };

describe('the settings of an answer', () => {
  it('are the server’s default when nobody says anything', () => {
    expect(resolved({})).toEqual({ model: 'echo' });
    expect(resolved({ model: '' }, {}, {})).toEqual({ model: 'echo' });
  });

  it('come from the request first, then from the agent, then from the configs, each for itself', () => {
    const configs = { model: 'gpt-4o', temperature: 0.7, top_p: 0.5, seed: 1 };
    expect(resolved({ temperature: 0 }, { temperature: 1, seed: 2 }, configs)).toEqual({
      model: 'gpt-4o',
      temperature: 0,
      seed: 2,
      topP: 0.5,
    });
  });

  it('fall through null, and leave the application’s own keys alone', () => {
    const configs = { model: 'gpt-4o', theme: 'dark', temperatur: 'hot', stop: null };
    expect(resolved({}, { model: null }, configs)).toEqual({ model: 'gpt-4o' });
  });

  it('are all there under OpenAI’s names', () => {
    const configs: JsonObject = {
      model: 'm',
      temperature: 2,
      top_p: 1,
      max_tokens: 1,
      seed: -1,
      presence_penalty: -2,
      frequency_penalty: 2,
      stop: 'END',
      response_format: { type: 'json_object' },
      tool_choice: 'look',
      tools: [look, { type: 'function', function: { name: 'act' } }],
    };
    expect(resolved({}, undefined, configs)).toEqual({
      model: 'm',
      temperature: 2,
      topP: 1,
      maxTokens: 1,
      seed: -1,
      presencePenalty: -2,
      frequencyPenalty: 2,
      stop: ['END'],
      responseFormat: { type: 'json_object' },
      toolChoice: 'look',
      tools: [look, { name: 'act', description: '', parameters: undefined }],
    });
  });

  it.each<[string, Json, string]>([
    ['temperature', '0.7', 'must be a number from 0 to 2'],
    ['temperature', 2.1, 'must be a number from 0 to 2'],
    ['top_p', -0.1, 'must be a number from 0 to 1'],
    ['max_tokens', 0, 'must be an integer of at least 1'],
    ['max_tokens', 1.5, 'must be an integer of at least 1'],
    ['seed', 0.5, 'must be an integer'],
    ['presence_penalty', 3, 'must be a number from -2 to 2'],
    ['frequency_penalty', [], 'must be a number from -2 to 2'],
    ['model', '', 'must be a non-empty string'],
    ['model', {}, 'must be a non-empty string'],
    ['stop', ['a', ''], 'must be a non-empty string, or an array of at most 4 of them'],
    ['stop', ['a', 'b', 'c', 'd', 'e'], 'must be a non-empty string, or an array of at most 4 of them'],
    ['response_format', 'json', 'must be an object'],
    ['tool_choice', { type: 'function' }, 'must be a non-empty string'],
    ['tools', 'look', 'must be an array of tools'],
    ['tools', [look, 7], '[1] must be an object'],
    ['tools', [{ description: 'x' }], '[0] must have a name'],
    ['tools', [{ type: 'web_search' }], '[0] has a type that is not `function`'],
    ['tools', [{ name: 'f', parameters: 'x' }], '[0] has parameters that are no object'],
    ['tools', [look, look], '[1] has a name that is taken: "look"'],
    ['tool_choice', 'act', 'names no tool there is: "act"'],
    ['tool_choice', 'required', 'is `required`, and there are no tools'],
  ])('are refused when %s is %j, and it is said where that came from', (key, value, problem) => {
    const inConfigs = refusal(() => resolved({}, undefined, { [key]: value }));
    expect(inConfigs).toMatchObject({
      reason: 'SETTINGS_INVALID',
      code: 'FAILED_PRECONDITION',
      message: `configs.${key}: ${problem}`,
      context: { fields: [{ field: `configs.${key}`, description: problem }] },
    });
    const inSettings = refusal(() => resolved({}, { [key]: value }, { [key]: value }));
    expect(inSettings.message).toBe(`participant "tutor": settings.${key}: ${problem}`);
    expect(inSettings.context.fields?.[0]?.field).toBe(`participants["tutor"].settings.${key}`);
  });

  it('do not mind a bad value that something higher overrides', () => {
    expect(resolved({ temperature: 1 }, { seed: 3 }, { temperature: 'hot', seed: 'x' })).toEqual({
      model: 'echo',
      temperature: 1,
      seed: 3,
    });
  });

  it('say so in the request’s own terms when it names a tool that is not there', () => {
    const error = refusal(() => resolved({ toolChoice: 'act' }, undefined, { tools: [look] }));
    expect(error).toMatchObject({
      reason: 'FIELD_INVALID',
      context: { fields: [{ field: 'generation.tool_choice' }] },
    });
    expect(resolved({ toolChoice: 'look' }, undefined, { tools: [look] }).toolChoice).toBe('look');
  });

  it('leave out a choice among no tools', () => {
    expect(resolved({ toolChoice: 'auto' }).toolChoice).toBeUndefined();
    expect(resolved({}, undefined, { tool_choice: 'none', tools: [] }).toolChoice).toBeUndefined();
  });
});
