import type { Limits, StoreConfig } from '../config/config.js';

/** Another configuration, front to shard: all of it, checked. */
export interface ReconfigureTask {
  readonly store: StoreConfig;
  readonly limits: Limits;
}

/** What it came to in a shard. */
export interface ShardReconfigured {
  /** Series whose metric is another one now, with the same step. */
  readonly seriesMoved: number;
  /** Series whose samples were put onto the grid of another step. */
  readonly seriesRegridded: number;
  /** Known first bytes of lines that are looked at anew. */
  readonly prefixesRebound: number;
  readonly milliseconds: number;
  /** What could not be done, though all was checked; none is the rule. */
  readonly problems: readonly string[];
}
