/** Why lines were not stored, by reason. */
export type Reasons = Readonly<
  Record<string, { readonly perSec: number | null; readonly total: number }>
>;

/** Numbers of `GET /api/v2/live` and columns of `GET /api/v2/history`; null = nothing is known. */
export const NUMBERS = [
  'linesPerSec',
  'samplesPerSec',
  'ignoredPerSec',
  'rejectedPerSec',
  'requestsPerSec',
  'queriesPerSec',
  'receivedBytesPerSec',
  'sentBytesPerSec',
  'writeMsP50',
  'writeMsP99',
  'queryMsP50',
  'queryMsP99',
  'residentBytes',
  'heapBytes',
  'heapLiveBytes',
  'series',
  'logBytes',
  'natsLinesPerSec',
  'cpuPercent',
] as const;
export type NumberName = (typeof NUMBERS)[number];

/** Event `rates`, every 2 s. */
export type Rates = Readonly<Partial<Record<NumberName, number | null>>> & {
  readonly timeSec: number;
  readonly ignored?: Reasons;
  readonly rejected?: Reasons;
  readonly shards?: readonly ShardRates[];
  readonly memoryCapBytes?: number;
};

export interface ShardRates {
  readonly shard: number;
  readonly ready: boolean;
  readonly heapBytes: number;
  readonly heapLiveBytes: number;
  readonly series: number;
  readonly logBytes: number;
  readonly linesPerSec: number | null;
  readonly queriesPerSec: number | null;
}

/** `GET /api/v2/history`. */
export interface HistoryAnswer {
  readonly fromSec: number;
  readonly stepSec: number;
  readonly count: number;
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface Problem {
  readonly part: string;
  readonly text: string;
}

/** What the page needs of `GET /api/v2/status`; event `status` has the same. */
export interface Status {
  readonly ready: boolean;
  readonly version?: string;
  readonly commit?: string;
  readonly node?: string;
  readonly startedSec?: number;
  readonly memory?: { readonly residentBytes: number; readonly memoryCapBytes: number };
  readonly disk?: {
    readonly directory: string;
    readonly freeBytes: number;
    readonly totalBytes: number;
  };
  readonly problems?: readonly Problem[];
  readonly shards: readonly {
    readonly index: number;
    readonly ready: boolean;
    readonly restarts: number;
    readonly counters: Readonly<Record<string, number>>;
  }[];
  readonly mirror?: {
    readonly location: string;
    readonly state: string;
    readonly problem: string;
    readonly bytesWaiting: number;
    readonly copiedBytes: number;
    readonly currentAtSec: number;
  };
  readonly archive?: {
    readonly location: string;
    readonly state: string;
    readonly problem: string;
    readonly bytesWaiting: number;
    readonly uploadedBytes: number;
  };
  readonly nats?: {
    readonly state: string;
    readonly server: string;
    readonly sinceSec: number;
    readonly reconnects: number;
    readonly lastError: string;
    readonly subscriptions: readonly Subscription[];
  };
  readonly tls?: { readonly subject: string; readonly validUntil: string };
  readonly auth?: { readonly required: boolean };
  readonly config?: {
    readonly generation: number;
    readonly at: string;
    readonly source: string;
    readonly problem: string;
    readonly overriddenCount: number;
  };
}

export interface Subscription {
  readonly subject: string;
  readonly queueGroup?: string;
  readonly stream?: string;
  readonly state: string;
  readonly problem: string;
  readonly messages: number;
  readonly written: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly pendingMessages: number;
}

/** What the page needs of `GET /api/v2/health?detail=clusters`. */
export interface HealthAnswer {
  readonly checkedSec: number;
  readonly clusters: readonly {
    readonly cluster: string;
    readonly state: string;
    readonly sinceSec: number;
    readonly hosts: Readonly<Record<string, number>>;
    readonly metrics: Readonly<Record<string, number>>;
  }[];
}
