import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';
import { head } from '../../src/chat/shorten.ts';
import { type Tokenizer, tokenizer } from '../../src/tokens/tokenizer.ts';

const PROSE = 'The quick brown fox jumps over the lazy dog, said nobody in 1984.\n';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe('a tokenizer', () => {
  it('counts as OpenAI does', async () => {
    const o200k = await tokenizer('o200k_base');
    const cl100k = await tokenizer('cl100k_base');
    // From the OpenAI cookbook, How_to_count_tokens_with_tiktoken: "compare encodings".
    const counts = (text: string) => [o200k.count(text), cl100k.count(text)];
    expect(counts('antidisestablishmentarianism')).toEqual([6, 6]);
    expect(counts('2 + 2 = 4')).toEqual([7, 7]);
    expect(counts('お誕生日おめでとう')).toEqual([8, 9]);
    expect(counts('')).toEqual([0, 0]);
  });

  it('is loaded once', () => {
    expect(tokenizer('o200k_base')).toBe(tokenizer('o200k_base'));
  });

  it('is not loaded before something is counted', () => {
    const module = fileURLToPath(new URL('../../src/tokens/message_tokens.ts', import.meta.url));
    const script = `const before = process.memoryUsage().heapUsed;
      await import(${JSON.stringify(module)});
      console.log(process.memoryUsage().heapUsed - before);`;
    const grown = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(Number(grown)).toBeLessThan(8e6);
  });

  it('takes the marks of special tokens for text', async () => {
    const { count } = await tokenizer('o200k_base');
    expect(count('<|endoftext|>')).toBeGreaterThan(3);
    expect(count('<|im_start|>system')).toBeGreaterThan(3);
  });

  it('counts a long text as a short one, but for a token at each cut', async () => {
    const { count, countLarge } = await tokenizer('o200k_base');
    const text = PROSE.repeat(1000);
    const exact = countTokens(text);
    expect(count(text)).toBeGreaterThanOrEqual(exact);
    expect(count(text)).toBeLessThan(exact * 1.01);
    expect(await countLarge(text)).toBe(count(text));
  });

  it('is not held up by a run without a break', async () => {
    const { count } = await tokenizer('o200k_base');
    const began = performance.now();
    for (const unit of ['x', ' ', '\n/', '中']) expect(count(unit.repeat(20_000))).toBeGreaterThan(0);
    expect(performance.now() - began).toBeLessThan(2000); // whole, the first alone takes 0.3 s, and ten times as long 30 s
  });

  it.each<[string, (text: string, own: Tokenizer) => unknown]>([
    ['a long text', (text, own) => own.count(text)],
    ['a text it counted the head of', (text, own) => own.count(head(text, 20, own))],
  ])('does not hold on to %s', async (_, count) => {
    const own = await tokenizer('o200k_base');
    const before = heapUsed();
    for (let at = 0; at < 100; at++) {
      // A word of its own, which has to be worked out, and is long enough to be a view of the text it is in.
      const word = String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26)).repeat(10);
      count(`${word} ${'the '.repeat(50_000)}`, own);
    }
    expect(heapUsed() - before).toBeLessThan(10e6); // the texts together take 20 MB
  });

  it('lets others go on while it counts a large text', async () => {
    const { countLarge } = await tokenizer('o200k_base');
    let turns = 0;
    const others = setInterval(() => turns++, 1);
    await countLarge(PROSE.repeat(100_000));
    clearInterval(others);
    expect(turns).toBeGreaterThan(2); // none, if it went on without a break
  });
});
