import type { Limits } from '../../src/config/config.js';
import type {
  BlocksPage,
  FreePreview,
  InspectRequest,
  LevelsPage,
  PrefixesPage,
} from '../../src/model/inspection.js';
import type { Engine } from '../engine/engine.js';
import type { Kernel } from '../kernel/kernel.js';
import { Turns, type TurnPace } from '../turns.js';
import { blocksPage } from './block-page.js';
import { previewFree } from './free-preview.js';
import { levelsPage } from './level-page.js';
import { prefixesPage } from './prefix-page.js';

export interface DebugParts {
  readonly engine: Engine;
  readonly kernel: Kernel;
  readonly limits: Pick<Limits, 'prefixesMax'>;
  readonly unitOf: (cluster: string, metric: string) => string;
  /** All of it has low priority. */
  readonly lowTurns: () => TurnPace;
}

/** undefined: there is no such level, or no such series. */
export type Inspected =
  LevelsPage | BlocksPage | Omit<PrefixesPage, 'shard'> | FreePreview | undefined;

/** Shows what a shard holds, page by page and turn by turn; one page after the other. */
export class Inspector {
  readonly #parts: DebugParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: DebugParts) {
    this.#parts = parts;
  }

  inspect(request: InspectRequest): Promise<Inspected> {
    const inspected = this.#last.then(() => this.#inspect(request));
    this.#last = inspected.catch(() => undefined);
    return inspected;
  }

  async #inspect(request: InspectRequest): Promise<Inspected> {
    const turns = new Turns(this.#parts.lowTurns());
    await turns.next();
    switch (request.kind) {
      case 'levels':
        return levelsPage(this.#parts, turns, request);
      case 'blocks':
        return blocksPage(this.#parts, request);
      case 'prefixes':
        return prefixesPage(this.#parts, turns, request);
      case 'free':
        return previewFree(this.#parts, turns, request);
    }
  }
}
