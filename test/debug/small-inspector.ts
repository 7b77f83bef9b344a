import type {
  BlocksPage,
  FreePreview,
  InspectRequest,
  LevelsPage,
  PrefixesPage,
} from '../../src/model/inspection.js';
import { Inspector } from '../../workers/debug/inspector.js';
import { LowTurns } from '../../workers/low-turns.js';
import { Pace } from '../../workers/pace.js';
import type { SmallStore } from '../engine/small-store.js';

const WAIT_MS_MAX = 60_000;

/** Asks an engine without threads. */
export class SmallInspector {
  readonly #inspector: Inspector;

  constructor({ engine, kernel }: SmallStore, prefixesMax = 1000) {
    this.#inspector = new Inspector({
      engine,
      kernel,
      limits: { prefixesMax },
      unitOf: (_cluster, metric) => (metric === 'sum' ? 'GB' : ''),
      lowTurns: () => new LowTurns(new Pace(), () => false, WAIT_MS_MAX),
    });
  }

  levels(path: readonly string[], more: object = {}): Promise<LevelsPage | undefined> {
    return this.#ask({ kind: 'levels', path, after: '', limit: 1000, ...more });
  }

  blocks(
    path: readonly string[],
    metric: string,
    more: object = {},
  ): Promise<BlocksPage | undefined> {
    return this.#ask({ kind: 'blocks', path, metric, after: '', limit: 1000, ...more });
  }

  prefixes(more: object = {}): Promise<PrefixesPage> {
    return this.#ask({ kind: 'prefixes', contains: '', after: '', limit: 1000, ...more });
  }

  previewFree(selectors: readonly (readonly string[])[], toSec: number): Promise<FreePreview> {
    return this.#ask({ kind: 'free', selectors, toSec });
  }

  #ask<Page>(request: InspectRequest): Promise<Page> {
    return this.#inspector.inspect(request) as Promise<Page>;
  }
}
