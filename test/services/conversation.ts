/** A conversation as tests hold one: what is said goes in when they say so, events come out one by one. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConverseRequestSchema, OpenSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import type { Clients } from '../harness.ts';
import { Answer, told } from './answers.ts';
import type { MessageInit } from './turns.ts';

type Input = Exclude<MessageInitShape<typeof ConverseRequestSchema>, { $typeName: string }>;
export type OpenInit = Exclude<MessageInitShape<typeof OpenSchema>, { $typeName: string }>;

export class Talk extends Answer {
  readonly #said: { say: (input: Input | undefined) => void };

  constructor({ chat }: Clients, ...first: Input[]) {
    const queue: (Input | undefined)[] = [...first];
    let wake = () => {};
    const say = (input: Input | undefined) => {
      queue.push(input);
      wake();
    };
    async function* inputs(): AsyncGenerator<Input> {
      for (;;) {
        while (queue.length > 0) {
          const next = queue.shift();
          if (!next) return;
          yield next;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    super((options) => chat.converse(inputs(), options));
    this.#said = { say };
  }

  static open(clients: Clients, sessionId: string, open: OpenInit = {}): Talk {
    return new Talk(clients, { sessionId, input: { case: 'open', value: open } });
  }

  say(content: string, message: MessageInit = {}): this {
    return this.send({ input: { case: 'message', value: { content, ...message } } });
  }

  cancel(): this {
    return this.send({ input: { case: 'cancel', value: {} } });
  }

  send(input: Input): this {
    this.#said.say(input);
    return this;
  }

  /** Says that all is said. */
  close(): this {
    this.#said.say(undefined);
    return this;
  }

  /** Takes the events of the next run, in short. */
  async answer(): Promise<string[]> {
    const from = this.events.length;
    while (!/^(completed|failed|cancelled)/.test(told(this.events.slice(from)).at(-1) ?? ''))
      await this.next();
    return told(this.events.slice(from));
  }

  /** Takes events until somebody has said this much since the last answer. */
  async until(text: string): Promise<this> {
    const from = this.events.length;
    while (!told(this.events.slice(from)).some((line) => line.includes(text))) await this.next();
    return this;
  }

  /** Nothing more comes, and all went well. */
  async isOver(): Promise<boolean> {
    return this.next().then(
      () => false,
      (error: Error) => error.message === 'the stream ended',
    );
  }
}
