import type { StoreConfig } from '../config/config.js';
import { compareKeys } from '../model/catalogue.js';
import { StoreError } from '../model/errors.js';
import type { HealthEntry, HealthPage, HealthPageRequest } from '../model/health.js';
import type { CheckSummary, GroupHealth, HealthReport } from '../protocol/health.js';
import { checkSubCluster } from './catalogue.js';
import type { ShardClient } from './shard-client.js';
import type { HealthListener, HostHealth, ShardHealth } from './store.js';

/** Pages in the making at most: each takes a task of every shard, which have others to do, too. */
const PAGES_UNDER_WAY_MAX = 16;

/** What checks of hosts have found, in all shards. */
export class HostHealths implements HostHealth {
  readonly #shards: readonly ShardClient[];
  /** Changed in place. */
  readonly #store: Pick<StoreConfig, 'clusters'>;
  readonly #last: (ShardHealth | undefined)[];
  readonly #listeners: HealthListener[] = [];
  #underWay = 0;

  constructor(shards: readonly ShardClient[], store: Pick<StoreConfig, 'clusters'>) {
    this.#shards = shards;
    this.#store = store;
    this.#last = shards.map(() => undefined);
    for (const shard of shards) {
      shard.onHealth = (report) => this.#receive(shard.index, report);
    }
  }

  get reports(): readonly (ShardHealth | undefined)[] {
    return this.#last;
  }

  watch(listener: HealthListener): void {
    this.#listeners.push(listener);
  }

  async page(request: HealthPageRequest): Promise<HealthPage> {
    checkSubCluster(this.#store.clusters, request);
    if (this.#underWay >= PAGES_UNDER_WAY_MAX) {
      const what = `${PAGES_UNDER_WAY_MAX} pages of states are being made; try again in a moment`;
      throw new StoreError('queue-full', what);
    }
    this.#underWay++;
    try {
      const lists = await Promise.all(
        this.#shards.map((shard) => shard.run<HealthEntry[]>('healthPage', request)),
      );
      return pageOf(lists, request.limit);
    } finally {
      this.#underWay--;
    }
  }

  #receive(shard: number, report: HealthReport): void {
    if (report.done) this.#last[shard] = afterCheck(this.#last[shard], report.done);
    for (const listener of this.#listeners) listener(shard, report);
  }
}

function afterCheck(before: ShardHealth | undefined, summary: CheckSummary): ShardHealth {
  const groups: readonly GroupHealth[] = summary.groups ?? before?.groups ?? [];
  return { summary, groups, checks: (before?.checks ?? 0) + 1 };
}

/** The first entries of all lists. Each has one more than a page, where there are more; a host is in one only. */
function pageOf(lists: readonly (readonly HealthEntry[])[], limit: number): HealthPage {
  const keyOf = ({ cluster, host }: HealthEntry): string[] => [cluster, host];
  // Each is in order already, which is what this sort is quick with.
  const all = lists.flat().sort((a, b) => compareKeys(keyOf(a), keyOf(b)));
  const entries = all.slice(0, limit);
  return { entries, next: all.length > limit ? keyOf(entries.at(-1)!) : null };
}
