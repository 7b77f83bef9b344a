/** cc-backend as a source: which nodes are in use, and what clusters there are. */
export interface BackendConfig {
  /** Such as `https://cc.example.org`; '' = it is not asked. */
  readonly url: string;
  /** Token for its API, or a file that holds one. */
  readonly token: string;
  readonly tokenFile: string;
  /** Time between two questions for nodes in use. */
  readonly nodesIntervalSec: number;
  /** How long the last answer holds when there is no other. */
  readonly nodesKeepSec: number;
  /** A question that takes longer has no answer. */
  readonly timeoutSec: number;
  /** Of one answer. */
  readonly answerBytesMax: number;
  /** Whether descriptions of clusters are read from it. */
  readonly readsClusters: boolean;
  readonly clustersIntervalSec: number;
}

export const BACKEND_DEFAULTS: BackendConfig = {
  url: '',
  token: '',
  tokenFile: '',
  nodesIntervalSec: 600,
  nodesKeepSec: 24 * 3600,
  timeoutSec: 30,
  // The names of a hundred thousand hosts take two.
  answerBytesMax: 16 * 1024 * 1024,
  readsClusters: false,
  clustersIntervalSec: 3600,
};

/** Section `metricshard.backend` of a file that passed the schema. */
export interface FileBackend {
  readonly token?: string;
  readonly 'token-file'?: string;
  readonly 'nodes-interval-sec'?: number;
  readonly 'nodes-keep-sec'?: number;
  readonly 'timeout-sec'?: number;
  readonly 'answer-bytes-max'?: number;
  readonly clusters?: boolean;
  readonly 'clusters-interval-sec'?: number;
}

export function backendOf(url: string | undefined, file: FileBackend | undefined): BackendConfig {
  const given = file ?? {};
  return {
    url: url ?? BACKEND_DEFAULTS.url,
    token: given.token ?? BACKEND_DEFAULTS.token,
    tokenFile: given['token-file'] ?? BACKEND_DEFAULTS.tokenFile,
    nodesIntervalSec: given['nodes-interval-sec'] ?? BACKEND_DEFAULTS.nodesIntervalSec,
    nodesKeepSec: given['nodes-keep-sec'] ?? BACKEND_DEFAULTS.nodesKeepSec,
    timeoutSec: given['timeout-sec'] ?? BACKEND_DEFAULTS.timeoutSec,
    answerBytesMax: given['answer-bytes-max'] ?? BACKEND_DEFAULTS.answerBytesMax,
    readsClusters: given.clusters ?? BACKEND_DEFAULTS.readsClusters,
    clustersIntervalSec: given['clusters-interval-sec'] ?? BACKEND_DEFAULTS.clustersIntervalSec,
  };
}
