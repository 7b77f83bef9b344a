import { eventOf, type EventStream, type EventStreams } from '../http/event-streams.js';
import type { HttpExchange } from '../http/server.js';
import { rounded } from './history.js';
import { ratesBetween, reasonsBetween, shardsBetween, type Rate } from './rates.js';
import type { Totals } from './totals.js';

/** As often as eyes can follow. */
const TICK_MS = 2000;
/** Each so many ticks the status is sent as well. */
const TICKS_A_STATUS = 5;
/** Rates of a shorter time tell nothing. */
const SPAN_MS_MIN = 500;

/** Where live numbers come from. */
export interface LiveSources {
  readonly events: EventStreams;
  readonly readTotals: () => Totals;
  /** Of a moment not long ago. */
  readonly lastTotals: () => Totals;
  readonly statusText: () => string;
  readonly memoryCapBytes: () => number;
}

/**
 * Tells clients every two seconds what goes on. What they are told is made once for all of them, and not at all when
 * there are none.
 */
export class Live {
  readonly #sources: LiveSources;
  readonly #clients = new Set<EventStream>();
  #timer: NodeJS.Timeout | undefined;
  #totals: Totals | undefined;
  #rates: Uint8Array | undefined;
  #ticks = 0;

  constructor(sources: LiveSources) {
    this.#sources = sources;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Begins to tell a client, with the status and the newest rates. */
  open(exchange: HttpExchange): void {
    const client: EventStream = this.#sources.events.open(exchange, () => this.#leave(client));
    if (!client.isOpen) return;
    this.#clients.add(client);
    if (this.#clients.size === 1) this.#begin();
    client.send(eventOf('status', this.#sources.statusText()));
    if (this.#rates) client.send(this.#rates);
  }

  #begin(): void {
    const { lastTotals } = this.#sources;
    this.#ticks = 0;
    this.#rates = undefined;
    this.#totals = lastTotals();
    if (performance.now() - this.#totals.atMs >= SPAN_MS_MIN) this.#makeRates();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  #leave(client: EventStream): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#totals = undefined;
    this.#rates = undefined;
  }

  #tick(): void {
    this.#makeRates();
    this.#ticks++;
    this.#sendAll(this.#rates!);
    if (this.#ticks % TICKS_A_STATUS === 0) {
      this.#sendAll(eventOf('status', this.#sources.statusText()));
    }
  }

  #makeRates(): void {
    const totals = this.#sources.readTotals();
    const data = liveRates(this.#totals!, totals, this.#sources.memoryCapBytes());
    this.#totals = totals;
    this.#rates = eventOf('rates', JSON.stringify(data));
  }

  #sendAll(event: Uint8Array): void {
    for (const client of this.#clients) client.send(event);
  }
}

/** What an event `rates` has. */
export function liveRates(earlier: Totals, later: Totals, memoryCapBytes: number): object {
  const rates = Object.entries(ratesBetween(earlier, later));
  return {
    timeSec: Math.round(Date.now() / 100) / 10,
    ...Object.fromEntries(rates.map(([name, value]) => [name, rounded(value)])),
    ignored: roundedRates(reasonsBetween(earlier, later, 'ignored')),
    rejected: roundedRates(reasonsBetween(earlier, later, 'rejected')),
    shards: shardsBetween(earlier, later).map((shard) => ({
      ...shard,
      linesPerSec: rounded(shard.linesPerSec),
      queriesPerSec: rounded(shard.queriesPerSec),
    })),
    memoryCapBytes,
  };
}

function roundedRates(rates: Readonly<Record<string, Rate>>): object {
  const all = Object.entries(rates).map(([reason, { perSec, total }]) => [
    reason,
    { perSec: rounded(perSec), total },
  ]);
  return Object.fromEntries(all);
}
