import type { StoreConfig } from '../config/config.js';
import { compareKeys } from '../model/catalogue.js';
import type { HealthEntry, HealthPage, HealthPageRequest } from '../model/health.js';
import type { CheckSummary, GroupHealth, HealthReport } from '../protocol/health.js';
import { checkSubCluster } from './catalogue.js';
import { PagesUnderWay } from './pages-under-way.js';
import type { ShardClient } from './shard-client.js';
import type { HealthListener, HostHealth, ShardHealth } from './store.js';

/** What checks of hosts have found, in all shards. */
export class HostHealths implements HostHealth {
  readonly #shards: readonly ShardClient[];
  /** Changed in place. */
  readonly #store: Pick<StoreConfig, 'clusters'>;
  readonly #last: (ShardHealth | undefined)[];
  readonly #listeners: HealthListener[] = [];
  readonly #underWay = new PagesUnderWay('states');

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
    return this.#underWay.run(async () => {
      const lists = await Promise.all(
        this.#shards.map((shard) => shard.run<HealthEntry[]>('healthPage', request)),
      );
      return pageOf(lists, request.limit);
    });
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
