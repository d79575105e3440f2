/**
 * How much a model can take in, in tokens, by the family its name tells. Known sizes, and the smaller one wherever a
 * family has several or a server is free to serve less: a prompt that was cut too short is answered, one that is too
 * long is refused. `token_budget` overrides it.
 */

/** Anything else: what the smallest models still in use take. */
const UNKNOWN = 8192;

/** The first that a name begins with. */
const FAMILIES: readonly (readonly [prefix: string, window: number])[] = [
  ['echo', 128_000], // it takes anything
  ['gpt-5-chat', 128_000],
  ['gpt-5', 272_000], // 400,000 with its answer
  ['gpt-4.1', 1_047_576],
  ['gpt-4.5', 128_000],
  ['gpt-4o', 128_000],
  ['chatgpt-4o', 128_000],
  ['gpt-4-turbo', 128_000],
  ['gpt-4-1106', 128_000],
  ['gpt-4-0125', 128_000],
  ['gpt-4-32k', 32_768],
  ['gpt-4', 8192],
  ['gpt-3.5-turbo-instruct', 4096],
  ['gpt-3.5', 16_385],
  ['gpt-oss', 131_072],
  ['o1-mini', 128_000],
  ['o1-preview', 128_000],
  ['o1', 200_000],
  ['o3', 200_000],
  ['o4', 200_000],
  ['claude', 200_000],
  ['gemini-1.0', 30_720],
  ['gemini-1.5', 1_048_576],
  ['gemini-2', 1_048_576],
  ['gemini-3', 1_048_576],
  ['gemma3', 32_768], // the smallest of the family
  ['gemma-3', 32_768],
  ['llama3.', 128_000],
  ['llama-3.', 128_000],
  ['meta-llama-3.', 128_000],
  ['llama-4', 128_000], // more on paper, rarely served
  ['llama4', 128_000],
  ['qwen2', 32_768],
  ['qwen3', 32_768],
  ['qwen-2', 32_768],
  ['qwen-3', 32_768],
  ['mistral', 32_768],
  ['mixtral', 32_768],
  ['ministral', 32_768],
  ['deepseek', 64_000],
  ['phi-3.5', 128_000],
  ['phi3.5', 128_000],
  ['phi-4', 16_384],
  ['phi4', 16_384],
  ['command-r', 128_000],
  ['grok', 128_000],
  ['kimi', 128_000],
];

/** Whoever serves a model may put their own name before it (`openai/gpt-4o`) and who trained it further `ft:`; a tag may follow (`llama3.1:8b`). */
export function contextWindow(model: string): number {
  const name = model
    .slice(model.lastIndexOf('/') + 1)
    .replace(/^ft:/, '')
    .toLowerCase();
  return FAMILIES.find(([prefix]) => name.startsWith(prefix))?.[1] ?? UNKNOWN;
}
