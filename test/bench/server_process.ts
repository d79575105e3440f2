/** A server in a process of its own: started until it says where it listens, stopped for good. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const START_MS = 120_000;
const STOP_MS = 20_000;

/** What a server prints last is kept, for when it dies. */
const KEPT_OUTPUT = 4000;

export class ServerProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #died: Promise<never>;
  #output = '';
  #stopping = false;

  /** Starts `node <script> …args`; {@link address} tells when it is ready. */
  constructor(name: string, script: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#name = name;
    this.#child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#died = once(this.#child, 'exit').then(([code, signal]) => {
      const message = `${name} ended (${signal ?? `code ${code}`}):\n${this.#output}`;
      if (!this.#stopping) console.error(message);
      throw new Error(message);
    });
    this.#died.catch(() => {}); // Whoever waits for it hears of it.
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-KEPT_OUTPUT);
      });
    }
    process.on('exit', this.#kill);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Waits for the line `<name> listening on <host>:<port>`. */
  async address(): Promise<string> {
    const line = new RegExp(`^${this.#name} listening on (\\S+:\\d+)$`, 'm');
    const deadline = Date.now() + START_MS;
    for (;;) {
      const match = line.exec(this.#output);
      if (match) return match[1]!;
      if (Date.now() > deadline) throw new Error(`${this.#name} is not listening yet:\n${this.#output}`);
      await Promise.race([
        once(this.#child.stdout!, 'data', { signal: AbortSignal.timeout(START_MS) }),
        this.#died,
      ]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    const force = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    this.#child.kill('SIGTERM');
    await this.#died.catch(() => {});
    clearTimeout(force);
    process.off('exit', this.#kill);
  }

  /** For a bench that ends without cleaning up. */
  readonly #kill = () => {
    this.#child.kill('SIGTERM');
  };
}
