import { HostRow } from './host-row.js';

/** All hosts that are judged, by cluster and name. */
export class HostTable {
  /** In no order. */
  readonly rows: HostRow[] = [];
  readonly #clusters = new Map<string, Map<string, HostRow>>();
  readonly #sorted = new Map<string, readonly string[]>();

  find(cluster: string, host: string): HostRow | undefined {
    return this.#clusters.get(cluster)?.get(host);
  }

  add(cluster: string, host: string): HostRow {
    const row = new HostRow(cluster, host);
    let hosts = this.#clusters.get(cluster);
    if (!hosts) this.#clusters.set(cluster, (hosts = new Map()));
    hosts.set(host, row);
    this.rows.push(row);
    this.#sorted.delete(cluster);
    return row;
  }

  /** Takes out the row at an index, where another one has its place then. */
  removeAt(index: number): void {
    const { cluster, host } = this.rows[index]!;
    const last = this.rows.pop()!;
    if (index < this.rows.length) this.rows[index] = last;
    const hosts = this.#clusters.get(cluster)!;
    hosts.delete(host);
    if (hosts.size === 0) this.#clusters.delete(cluster);
    this.#sorted.delete(cluster);
  }

  clear(): void {
    this.rows.length = 0;
    this.#clusters.clear();
    this.#sorted.clear();
  }

  /** In sorted order, as are the hosts. */
  clusters(): string[] {
    return [...this.#clusters.keys()].sort();
  }

  hosts(cluster: string): readonly string[] {
    let sorted = this.#sorted.get(cluster);
    if (!sorted) {
      sorted = [...(this.#clusters.get(cluster)?.keys() ?? [])].sort();
      this.#sorted.set(cluster, sorted);
    }
    return sorted;
  }
}
