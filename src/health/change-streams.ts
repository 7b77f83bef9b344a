import type { ClusterSet } from '../auth/identity.js';
import { eventOf, type EventStream, type EventStreams } from '../http/event-streams.js';
import type { HttpExchange } from '../http/server.js';

/** A change as it is sent. */
export interface ChangeText {
  readonly cluster: string;
  /** JSON of one line. */
  readonly text: string;
}

interface Client {
  readonly stream: EventStream;
  /** Of which clusters it is told; null = of all. */
  readonly clusters: ClusterSet;
}

/** The same text as of a client that was too slow. */
const MISSED = eventOf('missed', '{}');

/** Clients that are told of changes as server-sent events. */
export class ChangeStreams {
  readonly #events: EventStreams;
  readonly #clients = new Set<Client>();

  constructor(events: EventStreams) {
    this.#events = events;
  }

  get count(): number {
    return this.#clients.size;
  }

  /** @throws StoreError `queue-full` where there are too many. */
  open(exchange: HttpExchange, clusters: ClusterSet): void {
    let client: Client | undefined = undefined;
    const stream = this.#events.open(exchange, () => {
      if (client) this.#clients.delete(client);
    });
    client = { stream, clusters };
    if (stream.isOpen) this.#clients.add(client);
  }

  /** Sends changes to those who may know, all of a client in one piece. */
  send(changes: readonly ChangeText[]): void {
    if (this.#clients.size === 0) return;
    const events = changes.map(({ cluster, text }) => ({
      cluster,
      bytes: eventOf('health', text),
    }));
    const all = Buffer.concat(events.map(({ bytes }) => bytes));
    for (const { stream, clusters } of this.#clients) {
      if (clusters === null) stream.send(all);
      else {
        const own = events.filter(({ cluster }) => clusters.has(cluster));
        if (own.length > 0) stream.send(Buffer.concat(own.map(({ bytes }) => bytes)));
      }
    }
  }

  /** Tells all clients to read the states anew. */
  sendMissed(): void {
    for (const { stream } of this.#clients) stream.send(MISSED);
  }
}
