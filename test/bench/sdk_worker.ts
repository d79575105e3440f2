/** The process that asks a model by the SDK: for each piece of text it does no more than look at it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenAI } from 'openai';
import { answerLoads } from './answer_loads.ts';
import type { Measured } from './load.ts';
import type { SdkLoad } from './sdk.ts';
import { Stretch } from './stretch.ts';

answerLoads(async (load: SdkLoad): Promise<Measured> => {
  const client = new OpenAI({ baseURL: load.baseUrl, apiKey: 'none', maxRetries: 0 });
  const stretch = new Stretch({ ...load, watch: [process.pid] });
  const limit = 'calls' in load.until ? load.until.calls : Number.POSITIVE_INFINITY;
  let asked = 0;
  const ask = async () => {
    while (!stretch.over && asked < limit) {
      asked++;
      const next = performance.now() + load.everyMs;
      stretch.count(await timeToFirstText(client, load), load.textBytes);
      const pause = next - performance.now();
      if (pause > 0) await sleep(pause);
    }
  };
  stretch.begin();
  await Promise.all(Array.from({ length: load.callers }, ask));
  return { ...stretch.figures(), acknowledged: [] };
});

async function timeToFirstText(client: OpenAI, { model, messages, textBytes }: SdkLoad): Promise<number> {
  const sentAt = performance.now();
  const stream = await client.chat.completions.create({
    model,
    messages: [...messages],
    stream: true,
    stream_options: { include_usage: true },
  });
  let firstTextAt = 0;
  let bytes = 0;
  for await (const { choices } of stream) {
    const text = choices[0]?.delta.content ?? '';
    if (bytes === 0 && text !== '') firstTextAt = performance.now();
    bytes += text.length; // the model speaks ASCII
  }
  if (bytes !== textBytes) throw new Error(`an answer of ${bytes} bytes instead of ${textBytes}`);
  return firstTextAt - sentAt;
}
