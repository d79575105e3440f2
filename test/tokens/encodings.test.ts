import { describe, expect, it } from 'vitest';
import { encodingOf } from '../../src/tokens/encodings.ts';

describe('the encoding of a model', () => {
  it.each([
    'gpt-4',
    'gpt-4-0613',
    'gpt-4-turbo',
    'gpt-4-32k',
    'gpt-3.5-turbo',
    'gpt-35-turbo',
    'openai/gpt-4',
    'ft:gpt-4-0613:acme::1',
    'ft:gpt-3.5-turbo:acme',
    'GPT-4',
    'text-embedding-3-small',
  ])('is cl100k_base for %s', (model) => {
    expect(encodingOf(model)).toBe('cl100k_base');
  });

  it.each([
    'gpt-4o',
    'gpt-4o-mini',
    'gpt-4.1',
    'gpt-4.5-preview',
    'gpt-5',
    'gpt-5.1-codex',
    'gpt-40',
    'o1',
    'o3-mini',
    'o4-mini',
    'openai/gpt-4o',
    'ft:gpt-4o:acme',
    'chatgpt-4o-latest',
    'llama3.2:1b',
    'meta-llama/Llama-3.3-70B',
    'echo',
    '',
  ])('is o200k_base for %s', (model) => {
    expect(encodingOf(model)).toBe('o200k_base');
  });
});
