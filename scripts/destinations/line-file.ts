import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { CompressStream } from 'zstd-napi';
import { Progress, type Destination } from './destination.js';

/** Writes lines into a file, packed if its name ends with .gz or .zst; `-` is the standard output. */
export class LineFile implements Destination {
  readonly progress: Progress;
  readonly #stream: Writable;
  readonly #done: Promise<void>;
  #failure: Error | undefined;

  constructor(path: string, print: (text: string) => void) {
    this.progress = new Progress(print);
    if (path === '-') {
      this.#stream = process.stdout;
      this.#done = Promise.resolve();
    } else {
      const file = createWriteStream(path);
      const packer = packerFor(path);
      this.#stream = packer ?? file;
      this.#done = packer ? pipeline(packer, file) : once(file, 'close').then(() => undefined);
    }
    this.#stream.once('error', (error) => (this.#failure ??= error));
    this.#done.catch((error: Error) => (this.#failure ??= error));
  }

  async send(lines: Uint8Array, lineCount: number, note = ''): Promise<void> {
    // The caller writes the next ones over these.
    const isRoom = this.#stream.write(Buffer.from(lines));
    if (!isRoom && !this.#failure) await once(this.#stream, 'drain');
    if (this.#failure) throw this.#failure;
    this.progress.totals.written += lineCount;
    this.progress.tell(note);
  }

  async close(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#stream === process.stdout) return;
    this.#stream.end();
    await this.#done;
  }
}

function packerFor(path: string): (Writable & NodeJS.ReadWriteStream) | undefined {
  if (path.endsWith('.gz')) return createGzip();
  return path.endsWith('.zst') ? new CompressStream() : undefined;
}

/** Whether a reader of the standard output has seen enough, which is no error. */
export function isClosedPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE';
}
