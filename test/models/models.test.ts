import { expect, it } from 'vitest';
import { Echo } from '../../src/models/echo.ts';
import { ModelTable } from '../../src/models/models.ts';
import { OpenAiModel } from '../../src/models/openai.ts';
import { contextWindow } from '../../src/models/windows.ts';

it('the table knows echo, and sends every other name to the endpoint', () => {
  const endpoint = new OpenAiModel({ baseUrl: undefined, apiKey: undefined }, () => {});
  const models = new ModelTable(endpoint);
  expect(models.named('echo')).toBeInstanceOf(Echo);
  for (const name of ['gpt-4o', 'Echo', 'echo-2', '', '__proto__']) expect(models.named(name)).toBe(endpoint);
});

it.each([
  ['echo', 128_000],
  ['gpt-4o', 128_000],
  ['gpt-4o-mini-2024-07-18', 128_000],
  ['openai/gpt-4o', 128_000],
  ['ft:gpt-4o-mini:acme::abc', 128_000],
  ['gpt-4.1-nano', 1_047_576],
  ['gpt-5-mini', 272_000],
  ['gpt-4-turbo', 128_000],
  ['gpt-4', 8192],
  ['gpt-4-0613', 8192],
  ['gpt-3.5-turbo', 16_385],
  ['o4-mini', 200_000],
  ['claude-3-5-sonnet-latest', 200_000],
  ['openrouter/google/gemini-2.5-pro', 1_048_576],
  ['llama3.1:8b', 128_000],
  ['meta-llama/Llama-3.3-70B-Instruct', 128_000],
  ['meta-llama/Meta-Llama-3.1-8B-Instruct', 128_000],
  ['llama3:8b', 8192],
  ['Qwen/Qwen2.5-7B-Instruct', 32_768],
  ['qwen3:4b', 32_768],
  ['mistral-large-latest', 32_768],
  ['deepseek-chat', 64_000],
  ['deepseek-r1:8b', 64_000],
  ['something-else', 8192],
  ['', 8192],
])('the window of %s is %i', (model, window) => {
  expect(contextWindow(model)).toBe(window);
});
