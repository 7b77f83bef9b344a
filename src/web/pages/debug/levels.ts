/** A level below another. */
export interface LevelChild {
  readonly name: string;
  readonly series: number;
  readonly children: number;
}

/** A series of a level. */
export interface LevelSeries {
  readonly metric: string;
  readonly unit: string;
  readonly stepSec: number;
  readonly blocks: number;
  readonly bytes: number;
  readonly samples: number;
  readonly firstSec: number | null;
  readonly lastSec: number | null;
  readonly lastValue: number | null;
}

/** `GET /api/v2/debug/levels`. */
export interface LevelsAnswer {
  readonly path: readonly string[];
  readonly children: readonly LevelChild[];
  readonly next: string | null;
  readonly series: readonly LevelSeries[];
}

export interface Block {
  readonly startSec: number;
  readonly endSec: number;
  readonly slots: number;
  readonly samples: number;
  readonly bytes: number;
  readonly codec: string;
  readonly sealed: boolean;
  readonly saved: boolean;
  readonly archived: boolean;
  readonly min: number | null;
  readonly max: number | null;
}

/** `GET /api/v2/debug/blocks`. */
export interface BlocksAnswer {
  readonly metric: string;
  readonly stepSec: number;
  readonly unit: string;
  readonly blocks: readonly Block[];
}
