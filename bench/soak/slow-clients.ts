import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../test/helpers/random.js';
import type { HttpClient, Target } from './http-client.js';
import type { Journal } from './journal.js';
import type { Ledger } from './ledger.js';
import { CLUSTERS, linesOf, SERIES, type SoakHost } from './site.js';
import type { Tally } from './tally.js';

const PAUSE_MS = 300;
const STAY_MS_MAX = 15_000;
const SLOW_BYTES_A_SECOND = 1024;
const OPEN_MAX = 12;

/** Clients that nobody wants: they read a kilobyte a second, stop in the middle, or say nothing. */
export class SlowClients {
  readonly #seed: number;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #tally: Tally;
  readonly #client: HttpClient;
  readonly #targetOf: () => Target | undefined;
  /** Its samples come in bodies that are never whole: some may be there. */
  readonly #host: SoakHost;
  readonly #open = new Set<Socket>();
  readonly #stayMsMax: number;
  #isOver = false;

  constructor(
    parts: { seed: number; ledger: Ledger; journal: Journal; tally: Tally; client: HttpClient },
    targetOf: () => Target | undefined,
    host: SoakHost,
    stayShare: number,
  ) {
    this.#seed = parts.seed;
    this.#ledger = parts.ledger;
    this.#journal = parts.journal;
    this.#tally = parts.tally;
    this.#client = parts.client;
    this.#targetOf = targetOf;
    this.#host = host;
    this.#stayMsMax = STAY_MS_MAX * stayShare;
  }

  stop(): void {
    this.#isOver = true;
    for (const socket of this.#open) socket.destroy();
  }

  async run(random: Random): Promise<void> {
    while (!this.#isOver) {
      await delay(PAUSE_MS + random.below(PAUSE_MS));
      const target = this.#targetOf();
      if (!target || this.#isOver || this.#open.size >= OPEN_MAX) continue;
      this.#come(target, random);
    }
  }

  #come({ port }: Target, random: Random): void {
    const kind = random.pick(['reads slowly', 'stalls', 'is silent', 'leaves']);
    const stayMs = kind === 'leaves' ? random.below(50) : random.below(this.#stayMsMax);
    const socket = connect(port, '127.0.0.1');
    this.#open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#open.delete(socket));
    socket.once('connect', () => {
      this.#journal.count(`client ${kind}`);
      if (kind === 'stalls' || kind === 'leaves') socket.write(this.#halfABody());
      if (kind === 'reads slowly') this.#readSlowly(socket, random);
      else socket.resume();
    });
    setTimeout(() => socket.destroy(), stayMs).unref();
  }

  #head(path: string, bytes: number): string {
    const { authorization = '' } = this.#client.authorization;
    const token = authorization === '' ? '' : `Authorization: ${authorization}\r\n`;
    return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${token}Content-Length: ${bytes}\r\n\r\n`;
  }

  #halfABody(): string {
    const sec = Math.floor(Date.now() / 1000);
    this.#ledger.sent([{ host: this.#host, sec, version: 1 }]);
    this.#tally.doubtful += SERIES.length;
    const body = linesOf(this.#seed, this.#host, sec, 1);
    return this.#head('/api/write', 2 * body.length) + body.slice(0, body.length - 10);
  }

  /** A large answer of which a kilobyte a second is taken. */
  #readSlowly(socket: Socket, random: Random): void {
    const to = Math.floor(Date.now() / 1000);
    const select = { metric: '*', scope: 'hwthread' };
    const body = JSON.stringify({ cluster: CLUSTERS, from: to - 300, to, select });
    const format = random.pick(['csv', 'ndjson', 'arrow']);
    socket.write(this.#head(`/api/v2/query?format=${format}`, body.length) + body);
    socket.pause();
    const timer = setInterval(() => void socket.read(SLOW_BYTES_A_SECOND), 1000);
    socket.once('close', () => clearInterval(timer));
  }
}
