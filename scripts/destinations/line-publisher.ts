import { connect, type JetStreamClient, type NatsConnection } from 'nats';
import { connectOptions } from '../../src/nats/connect-options.js';
import { Progress, reasonOf, type Destination } from './destination.js';

/** As collectors have it in their examples. */
export const SUBJECT_DEFAULT = 'hpc-nats';
/** A server has one of 1 MB unless it is told otherwise; more lines than these gain nothing. */
const MESSAGE_BYTES_MAX = 256 * 1024;
const NEWLINE = 10;

export interface PublisherOptions {
  /** `nats://host:port`; user and password may stand in it. */
  readonly address: string;
  readonly subject: string;
  /** A stream takes them: each message is acknowledged before the next one. */
  readonly usesStream: boolean;
  /** A file with a JWT and its seed; '' = none. */
  readonly credentialsFile: string;
}

/** Publishes lines on a subject of NATS, as many in a message as fit. */
export class LinePublisher implements Destination {
  readonly progress: Progress;
  readonly #connection: NatsConnection;
  readonly #stream: JetStreamClient | undefined;
  readonly #subject: string;
  readonly #bytesMax: number;

  private constructor(
    connection: NatsConnection,
    { subject, usesStream }: PublisherOptions,
    print: (text: string) => void,
  ) {
    this.progress = new Progress(print);
    this.#connection = connection;
    this.#subject = subject;
    this.#stream = usesStream ? connection.jetstream() : undefined;
    const { max_payload: payloadMax = MESSAGE_BYTES_MAX } = connection.info ?? {};
    this.#bytesMax = Math.min(MESSAGE_BYTES_MAX, payloadMax);
  }

  /** @throws Error if the server can not be reached, or refuses us. */
  static async connect(
    options: PublisherOptions,
    print: (text: string) => void,
  ): Promise<LinePublisher> {
    const { address, credentialsFile } = options;
    const connection = await connect({
      ...connectOptions({
        servers: [address],
        username: '',
        password: '',
        token: '',
        nkeySeedFile: '',
        credentialsFile,
        caFile: '',
        certFile: '',
        keyFile: '',
        subscriptions: [],
        configSubject: '',
        configBucket: '',
        healthSubject: '',
      }),
      name: 'metricshard lines',
      reconnect: true,
    });
    return new LinePublisher(connection, options, print);
  }

  async send(lines: Uint8Array, lineCount: number, note = ''): Promise<void> {
    for (let from = 0; from < lines.length;) {
      const until = this.#messageEnd(lines, from);
      await this.#publish(lines.subarray(from, until));
      this.progress.totals.requests++;
      from = until;
    }
    // What was published is with the server then: nothing piles up here.
    if (!this.#stream) await this.#connection.flush();
    this.progress.totals.written += lineCount;
    this.progress.tell(note);
  }

  async close(): Promise<void> {
    await this.#connection.drain();
  }

  async #publish(message: Uint8Array): Promise<void> {
    if (!this.#stream) {
      this.#connection.publish(this.#subject, message);
      return;
    }
    try {
      await this.#stream.publish(this.#subject, message);
    } catch (error) {
      if ((error as { code?: string }).code !== '503') throw error;
      throw new Error(`no stream takes the subject ${this.#subject} (${reasonOf(error)})`);
    }
  }

  /** Behind the last line that fits; one line alone goes whatever its length, for the server to refuse. */
  #messageEnd(lines: Uint8Array, from: number): number {
    if (lines.length - from <= this.#bytesMax) return lines.length;
    const last = lines.lastIndexOf(NEWLINE, from + this.#bytesMax - 1);
    if (last >= from) return last + 1;
    const next = lines.indexOf(NEWLINE, from);
    return next < 0 ? lines.length : next + 1;
  }
}
