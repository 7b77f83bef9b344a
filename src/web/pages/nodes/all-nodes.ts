import { el, fill } from '../kit/dom.js';
import { subscribe } from '../kit/events.js';
import { wordsOf } from '../kit/notice.js';
import { makeShell, type Shell } from '../kit/shell.js';
import { setText } from '../kit/text.js';
import { FilterForm } from './filter.js';
import { NOT_FULL, readNodes } from './health.js';
import { type Health, type HealthEvent } from './states.js';
import { HealthMap } from './map.js';
import { HealthModel } from './model.js';
import { age } from './parts.js';
import { Trouble } from './trouble.js';

/** What cannot be told from an event is read anew, but not more often. */
const READ_EACH_MS = 10_000;
/** More events than a read can have beside it; what is lost of older ones the read tells. */
const WAITING_MAX = 20_000;
/** Events of a check come together: the table is made once for them. */
const GATHER_MS = 200;

/** The page of all nodes: the map, and what is wrong. */
class AllNodes {
  readonly #filter = new FilterForm((isStateOnly) =>
    isStateOnly && this.#model ? this.#draw(false) : void this.#read(),
  );
  readonly #map = new HealthMap();
  readonly #trouble = new Trouble();
  readonly #troublePanel = el('div', { class: 'panel', hidden: true }, this.#trouble.element);
  readonly #count = el('span', { role: 'status' });
  readonly #checked = el('span');
  #shell: Shell | undefined;
  #model: HealthModel | undefined;
  #reading: AbortController | undefined;
  /** Events that came while states were read, which may be older. */
  #waiting: HealthEvent[] = [];
  #readMs = Number.NEGATIVE_INFINITY;
  #readTimer = 0;
  #checkedSec = 0;
  #drawTimer = 0;

  start(): void {
    this.#shell = makeShell(
      'nodes',
      el('h1', {}, 'Nodes'),
      this.#filter.element,
      el('p', { class: 'quiet status-line' }, this.#count, this.#checked),
      el('div', { class: 'panel' }, this.#map.element),
      this.#troublePanel,
    );
    subscribe(
      'api/v2/health/events',
      {},
      {
        health: (event) => this.#receive(event as HealthEvent),
        missed: () => void this.#read(),
      },
      (isConnected) => {
        this.#shell!.setConnected(isConnected);
        // What happened before the connection was there is in no event.
        if (isConnected) void this.#read();
      },
    );
    void this.#read();
  }

  async #read(): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    this.#readMs = performance.now();
    window.clearTimeout(this.#readTimer);
    this.#readTimer = 0;
    const { cluster, subCluster, nodes, metric } = this.#filter.read();
    const asked = {
      cluster,
      'sub-cluster': subCluster,
      host: nodes,
      ...(metric !== '' && { metric, 'metric-state': NOT_FULL }),
    };
    try {
      const health = await readNodes(asked, reading.signal);
      if (reading.signal.aborted) return;
      this.#show(health);
    } catch (error) {
      if (!reading.signal.aborted) this.#say(wordsOf(error));
    } finally {
      if (this.#reading === reading) {
        this.#reading = undefined;
        this.#waiting = [];
      }
    }
  }

  #show({ checkedSec, clusters, hosts }: Health): void {
    this.#filter.offer(clusters);
    const changes = this.#model?.refresh(hosts);
    const model = changes ? this.#model! : new HealthModel(hosts);
    this.#model = model;
    const isNewer = ({ timeSec }: HealthEvent): boolean => timeSec >= (checkedSec ?? 0);
    const later = this.#waiting.filter(isNewer).flatMap((event) => model.apply(event) ?? []);
    if (checkedSec === null) {
      this.#say('Nothing was checked yet; the first check comes soon.');
      this.#readSoon();
    } else if (hosts.length === 0) {
      const what =
        clusters.length === 0
          ? 'No node is known yet: send samples to /api/write.'
          : 'No node fits.';
      this.#say(what);
    } else this.#sayChecked(hosts.length, checkedSec);
    if (!changes) return this.#draw(true);
    for (const change of [...changes, ...later]) this.#map.update(change);
    this.#drawTable(true);
  }

  #draw(isStale: boolean): void {
    this.#map.show(this.#model!, this.#filter.read().states);
    this.#drawTable(isStale);
  }

  #drawTable(isStale: boolean): void {
    const { states } = this.#filter.read();
    this.#troublePanel.hidden = false;
    this.#trouble.show(
      this.#model!.troubled().filter(({ state }) => states.has(state)),
      isStale,
    );
  }

  #receive(event: HealthEvent): void {
    if (this.#reading) {
      this.#waiting.push(event);
      if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    }
    if (!this.#model) return;
    const change = this.#model.apply(event);
    if (change) this.#map.update(change);
    this.#checkedSec = event.timeSec;
    const { nodes, metric, cluster } = this.#filter.read();
    const isOthers = cluster !== '' && cluster !== event.cluster;
    // Whether a new node fits, or still has this metric's trouble, is for the store to say.
    if (metric !== '' || (!change && nodes === '' && !isOthers)) this.#readSoon();
    if (this.#drawTimer !== 0) return;
    this.#drawTimer = window.setTimeout(() => {
      this.#drawTimer = 0;
      this.#sayChecked(this.#model!.nodes.length, this.#checkedSec);
      this.#drawTable(false);
    }, GATHER_MS);
  }

  #sayChecked(nodes: number, checkedSec: number): void {
    setText(this.#count, `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`);
    fill(this.#checked, ', checked ', age(checkedSec));
  }

  #say(text: string): void {
    setText(this.#count, text);
    fill(this.#checked);
  }

  #readSoon(): void {
    const waitMs = Math.max(0, this.#readMs + READ_EACH_MS - performance.now());
    if (this.#readTimer === 0) this.#readTimer = window.setTimeout(() => void this.#read(), waitMs);
  }
}

export function showAll(): void {
  new AllNodes().start();
}
