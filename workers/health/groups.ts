import { HOST_STATES } from '../../src/model/health.js';
import type { GroupHealth } from '../../src/protocol/health.js';
import type { HostRow } from './host-row.js';
import type { Group } from './roster.js';

/** Sums up hosts by what is expected of them: by cluster and sub-cluster. */
export function groupsOf(rows: readonly HostRow[]): GroupHealth[] {
  const sums = new Map<Group, Sum>();
  for (const row of rows) {
    if (!row.group || row.state === undefined) continue;
    let sum = sums.get(row.group);
    if (!sum) sums.set(row.group, (sum = new Sum()));
    sum.add(row);
  }
  return [...sums].map(([group, sum]) => sum.toData(group));
}

class Sum {
  readonly #hosts = [0, 0, 0];
  readonly #metrics = [0, 0, 0, 0];
  #newestSec = 0;
  #notFullSec = Infinity;
  #notFailedSec = Infinity;

  add({ state, sinceSec, counts }: HostRow): void {
    this.#hosts[HOST_STATES.indexOf(state!)]!++;
    for (let i = 0; i < counts.length; i++) this.#metrics[i]! += counts[i]!;
    this.#newestSec = Math.max(this.#newestSec, sinceSec);
    if (state !== 'full') this.#notFullSec = Math.min(this.#notFullSec, sinceSec);
    if (state !== 'failed') this.#notFailedSec = Math.min(this.#notFailedSec, sinceSec);
  }

  toData({ cluster, subCluster }: Group): GroupHealth {
    return {
      cluster,
      subCluster,
      hosts: this.#hosts,
      metrics: this.#metrics,
      newestSec: this.#newestSec,
      notFullSec: this.#notFullSec === Infinity ? 0 : this.#notFullSec,
      notFailedSec: this.#notFailedSec === Infinity ? 0 : this.#notFailedSec,
    };
  }
}
