import { clip } from '../model/clip.js';
import { StoreError } from '../model/errors.js';
import {
  compareLevelKeys,
  levelKeyText,
  type BlocksPage,
  type BlocksRequest,
  type ChildLevel,
  type FreePreview,
  type InspectRequest,
  type LevelKey,
  type LevelsPage,
  type LevelsRequest,
  type PrefixesPage,
  type PrefixesRequest,
  type SeriesDetail,
} from '../model/inspection.js';
import type { LowPriority } from './low-priority.js';
import type { Inspection } from './store.js';
import { WaitingLine } from './waiting-line.js';

/** Names of a cluster and a host: who has these is in one shard. */
const HOST_DEPTH = 2;

export interface InspectionParts {
  readonly shardCount: number;
  readonly shardOf: (cluster: string, host: string) => number;
  readonly ask: <Result>(shard: number, request: InspectRequest) => Promise<Result>;
  readonly low: LowPriority;
  readonly waitMsMax: () => number;
}

/** Has shards show what they hold, one page after the other, and makes one of what several show. */
export class ShardInspection implements Inspection {
  readonly #parts: InspectionParts;
  readonly #line: WaitingLine;

  constructor(parts: InspectionParts) {
    this.#parts = parts;
    const { waitMsMax } = parts;
    // Requests of low priority, as these are, are bounded all together.
    this.#line = new WaitingLine({ what: 'pages of shards', waitingMax: Infinity, waitMsMax });
  }

  async levels(request: LevelsRequest): Promise<LevelsPage> {
    const { path } = request;
    const found = await this.#askOwners<LevelsPage | undefined>(path, request);
    const pages = found.filter((page) => page !== undefined);
    if (pages.length === 0) throw noLevel(path);
    return pages.length === 1 ? pages[0]! : mergePages(pages, request);
  }

  async blocks(request: BlocksRequest): Promise<BlocksPage> {
    const { path, metric } = request;
    const found = await this.#askOwners<BlocksPage | undefined>(path, request);
    const page = found.find((one) => one !== undefined);
    if (page) return page;
    const name = clip(metric);
    const what = `there is no series of "${name}" at ${textOf(path)}; GET /api/v2/debug/levels lists them`;
    throw new StoreError('not-found', what);
  }

  async prefixes(shard: number, request: PrefixesRequest): Promise<PrefixesPage> {
    const { shardCount } = this.#parts;
    if (shard >= shardCount) {
      const what = `parameter shard: ${shard} is not one of the shards, 0 to ${shardCount - 1}`;
      throw new StoreError('bad-request', what);
    }
    const [page] = await this.#ask<Omit<PrefixesPage, 'shard'>>([shard], request);
    return { shard, ...page! };
  }

  async previewFree(
    selectors: readonly (readonly string[])[],
    toSec: number,
  ): Promise<FreePreview> {
    const request = { kind: 'free', selectors, toSec } as const;
    const previews = await this.#ask<FreePreview>(this.#all(), request);
    const sum = (field: keyof FreePreview): number =>
      previews.reduce((total, preview) => total + preview[field], 0);
    return {
      blocks: sum('blocks'),
      series: sum('series'),
      bytes: sum('bytes'),
      hosts: sum('hosts'),
    };
  }

  #askOwners<Result>(path: readonly string[], request: InspectRequest): Promise<Result[]> {
    const [cluster, host] = path;
    const isOwned = path.length >= HOST_DEPTH;
    return this.#ask(isOwned ? [this.#parts.shardOf(cluster!, host!)] : this.#all(), request);
  }

  async #ask<Result>(shards: readonly number[], request: InspectRequest): Promise<Result[]> {
    const { low, ask } = this.#parts;
    const work = (): Promise<Result[]> =>
      Promise.all(shards.map((shard) => ask<Result>(shard, request)));
    return (await low.run(() => this.#line.run(work)))!;
  }

  #all(): number[] {
    return Array.from({ length: this.#parts.shardCount }, (_, index) => index);
  }
}

/** Pages of the same level: hosts are in one of them, clusters may be in several. */
function mergePages(pages: readonly LevelsPage[], { path, limit }: LevelsRequest): LevelsPage {
  const entries: { key: LevelKey; series?: SeriesDetail; child?: ChildLevel }[] = [];
  for (const page of pages) {
    for (const series of page.series) entries.push({ key: [0, series.metric], series });
  }
  const children = new Map<string, ChildLevel>();
  for (const child of pages.flatMap((page) => page.children)) {
    const { series = 0, children: below = 0 } = children.get(child.name) ?? {};
    const joined = { series: series + child.series, children: below + child.children };
    children.set(child.name, { name: child.name, ...joined });
  }
  for (const child of children.values()) entries.push({ key: [1, child.name], child });
  entries.sort((a, b) => compareLevelKeys(a.key, b.key));
  const listed = entries.slice(0, limit);
  const hasMore = entries.length > limit || pages.some(({ next }) => next !== null);
  return {
    path,
    series: listed.flatMap(({ series }) => series ?? []),
    children: listed.flatMap(({ child }) => child ?? []),
    next: hasMore ? levelKeyText(listed.at(-1)!.key) : null,
  };
}

function noLevel(path: readonly string[]): StoreError {
  return new StoreError('not-found', `there is no level ${textOf(path)}`);
}

function textOf(path: readonly string[]): string {
  return path.length === 0 ? 'above all clusters' : `"${clip(path.join(' / '))}"`;
}
