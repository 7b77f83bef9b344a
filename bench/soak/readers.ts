import { request, type ClientRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../test/helpers/random.js';
import type { HttpClient, Target } from './http-client.js';
import type { Journal } from './journal.js';
import type { Ledger } from './ledger.js';
import { NODE_METRICS } from './site.js';

const PAUSE_MS = 200;
const EVENT_PATHS = ['/api/v2/live', '/api/v2/health/events'];
const TAGS_KEPT_MAX = 20;
/** Answers about what is older may have a tag. */
const SETTLED_SEC = 170;

const PATHS = [
  '/ping',
  '/health',
  '/metrics',
  '/api/v2/status',
  '/api/v2/clusters',
  '/api/v2/metrics',
  '/api/v2/hosts?limit=20',
  '/api/v2/hosts?match=w*&priority=low',
  '/api/v2/series?limit=50',
  '/api/v2/health?limit=50',
  '/api/v2/history?seconds=60',
  '/api/v2/me',
  '/api/v2/debug/slow-queries',
  '/api/v2/debug/log?level=warn',
  '/api/v2/debug/levels?level=north',
  '/api/v2/debug/prefixes?shard=0&limit=10',
  '/api/openapi.json',
  '/ui/overview',
  '/ui/nodes',
  '/ui/explore',
  '/swagger',
];

interface Tagged {
  readonly body: object;
  readonly etag: string;
  readonly text: string;
}

/** Everything else that is asked of a store: lists, states, jobs, pages, events; and tags of answers. */
export class Readers {
  readonly #client: HttpClient;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #targetOf: () => Target | undefined;
  readonly #streams = new Set<ClientRequest>();
  readonly #tagged: Tagged[] = [];
  #isOver = false;

  constructor(
    parts: { client: HttpClient; ledger: Ledger; journal: Journal },
    targetOf: () => Target | undefined,
  ) {
    this.#client = parts.client;
    this.#ledger = parts.ledger;
    this.#journal = parts.journal;
    this.#targetOf = targetOf;
  }

  stop(): void {
    this.#isOver = true;
    for (const stream of this.#streams) stream.destroy();
  }

  async run(random: Random): Promise<void> {
    while (!this.#isOver) {
      await delay(PAUSE_MS);
      const target = this.#targetOf();
      if (target && this.#streams.size < EVENT_PATHS.length) {
        this.#listen(target, EVENT_PATHS[this.#streams.size]!);
      }
      try {
        const kind = random.below(10);
        if (kind < 6) await this.#get(random.pick(PATHS));
        else if (kind === 6) await this.#jobs(random);
        else if (kind === 7) await this.#healthcheck(random);
        else await this.#tag(random);
      } catch {
        this.#journal.count('reads without an answer');
      }
    }
  }

  async #get(path: string): Promise<void> {
    const { status, body } = await this.#client.ask(path);
    this.#expect(status, path, body);
  }

  async #jobs(random: Random): Promise<void> {
    const host = random.pick(this.#ledger.hosts);
    const jobs = [1, 2, 3].map((id) => ({ id, hosts: host.name, from: `-${id}m` }));
    const body = { cluster: host.cluster, metrics: ['load', 'clock'], jobs };
    const answer = await this.#client.post('/api/v2/job-stats', body);
    this.#expect(answer.status, 'job-stats', answer.body);
  }

  async #healthcheck(random: Random): Promise<void> {
    const { cluster, name } = random.pick(this.#ledger.hosts);
    const body = { cluster, nodes: [name, 'nobody'], 'metric-names': NODE_METRICS };
    const answer = await this.#client.post('/api/healthcheck', body);
    this.#expect(answer.status, 'healthcheck', answer.body);
  }

  #expect(status: number, what: string, body: Buffer): void {
    this.#journal.count(`read ${status}`);
    if ([200, 204, 503, 429].includes(status)) return;
    this.#journal.fail(`${what}: ${status} ${body.toString().slice(0, 300)}`);
  }

  /** An answer with a tag is the same as any other with that tag, and as what 304 stands for. */
  async #tag(random: Random): Promise<void> {
    const known = random.chance(0.5) ? this.#tagged.shift() : undefined;
    if (known) {
      const path = '/api/v2/query';
      const headers = { 'if-none-match': known.etag };
      const { status } = await this.#client.post(path, known.body, headers);
      this.#journal.count(`tag ${status}`);
      const again = await this.#client.post(path, known.body);
      if (again.status !== 200 || again.etag !== known.etag) return;
      this.#journal.count('tags compared');
      if (sorted(again.body.toString()) === sorted(known.text)) return;
      this.#journal.fail(
        `ETag ${known.etag} stands for two answers: ${JSON.stringify(known.body)}`,
      );
      return;
    }
    const host = random.pick(this.#ledger.hosts);
    const to = Math.floor(Date.now() / 1000) - SETTLED_SEC - random.below(20);
    const select = { metric: NODE_METRICS, hosts: host.name };
    const body = { cluster: host.cluster, from: to - 30, to, select };
    const { etag, status, body: bytes } = await this.#client.post('/api/v2/query', body);
    if (status !== 200 || etag === '' || this.#tagged.length >= TAGS_KEPT_MAX) return;
    this.#journal.count('tags given');
    this.#tagged.push({ body, etag, text: bytes.toString() });
  }

  #listen({ port }: Target, path: string): void {
    const headers = { ...this.#client.authorization };
    const stream = request({ host: '127.0.0.1', port, path, headers }, (response) => {
      response.on('data', () => this.#journal.count('events'));
      response.on('error', () => undefined);
    });
    this.#streams.add(stream);
    stream.on('error', () => undefined);
    stream.once('close', () => this.#streams.delete(stream));
    stream.end();
  }
}

/** The order of series in an answer is not defined. */
function sorted(text: string): string {
  const { results } = JSON.parse(text) as { results: object[] };
  return results
    .map((result) => JSON.stringify(result))
    .toSorted()
    .join();
}
