import { memoryOf, StoreProcess, versionOf, type Memory } from '../processes.js';
import type { Context } from '../store.js';

/** What those stores have in common that are one process and listen on one port. */
export abstract class StoreServer {
  readonly jobsARequest = 1;
  readonly version: string;
  protected readonly context: Context;
  protected folder = '';
  protected port = 0;
  readonly #program: string;
  #process: StoreProcess | undefined;

  protected constructor(program: string, versionFlag: string, context: Context) {
    this.#program = program;
    this.context = context;
    this.version = versionOf(program, versionFlag);
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Starts it, and waits until an answer to a GET says that it takes requests. */
  protected async run(
    args: readonly string[],
    path: string,
    isReady: (answer: Response) => boolean = ({ ok }) => ok,
  ): Promise<void> {
    this.#process = new StoreProcess(this.#program, [...args]);
    await this.#process.untilReady(async () =>
      isReady(await fetch(`http://127.0.0.1:${this.port}${path}`)),
    );
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.#process?.stop(signal);
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async memory(): Promise<Memory> {
    return memoryOf(this.pid);
  }
}
