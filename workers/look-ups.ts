import type { Limits, StoreConfig } from '../src/config/config.js';
import type { CatalogueEntry, CatalogueRequest } from '../src/model/catalogue.js';
import type { InspectRequest } from '../src/model/inspection.js';
import type { HealthRequest, NodeHealth } from '../src/routing/store.js';
import type { Inspected, Inspector } from './debug/inspector.js';
import { Catalogue } from './engine/catalogue.js';
import type { Engine } from './engine/engine.js';
import type { Kernel } from './kernel/kernel.js';
import { LowTurns } from './low-turns.js';
import type { Pace } from './pace.js';

export interface LookUpParts {
  readonly engine: Engine;
  readonly kernel: Kernel;
  readonly store: StoreConfig;
  readonly limits: Limits;
  readonly unitOf: (cluster: string, metric: string) => string;
  readonly pace: Pace;
  /** Whether something is to be done that has not low priority. */
  readonly hasOthers: () => boolean;
}

/** What may be asked of a shard beside queries: what it holds, and in which state. */
export class LookUps {
  readonly #parts: LookUpParts & { readonly lowTurns: () => LowTurns };
  readonly #catalogue: Catalogue;
  /** Loaded when it is asked for: few stores ever need it. */
  #inspector: Promise<Inspector> | undefined;

  constructor(parts: LookUpParts) {
    const { engine, pace, hasOthers, limits } = parts;
    const lowTurns = (): LowTurns => new LowTurns(pace, hasOthers, limits.queryTimeMsMax);
    this.#parts = { ...parts, lowTurns };
    this.#catalogue = new Catalogue({ ...this.#parts, topologies: engine.topologies });
  }

  catalogue(request: CatalogueRequest): Promise<CatalogueEntry[]> {
    return this.#catalogue.list(request);
  }

  health(request: HealthRequest): Record<string, NodeHealth> {
    return this.#parts.engine.health(request, Math.floor(Date.now() / 1000));
  }

  async debug(selector: readonly string[]): Promise<string> {
    const { debugJson } = await import('./debug/level-tree-text.js');
    return debugJson(this.#parts.engine, this.#parts.kernel, selector);
  }

  async inspect(request: InspectRequest): Promise<Inspected> {
    this.#inspector ??= import('./debug/inspector.js').then(
      (loaded) => new loaded.Inspector(this.#parts),
    );
    return (await this.#inspector).inspect(request);
  }
}
