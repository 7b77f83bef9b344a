import { DEFAULTS, type Limits } from './config.js';
import type { Schema } from './schema-parts.js';

/** Of a shard's body arena: a body that one shard must hold could not wait for its own end. */
const ARENA_BYTES = 64 * 1024 * 1024;

/** A shard has room for so many in its memory. */
const UNIT_MISMATCHES_MAX = 5000;

/** A day: a timer for more than 24 of them would end at once. */
const WAIT_MS_MAX = 86_400_000;

/** Half of the work area of a query. */
const PERCENTILE_EXACT_MAX = 4_000_000;

const LIMITS: Readonly<Record<keyof Limits, Schema>> = {
  bodyBytesMax: {
    ...limit('Bytes of a write request, after decompression; more: 413.', 1024),
    maximum: ARENA_BYTES,
  },
  queryBodyBytesMax: {
    ...limit('Bytes of the body of any other request; more: 413.', 1024),
    maximum: ARENA_BYTES,
  },
  collectedBytesMax: limit(
    'Bytes of bodies held at one time, over all requests: packed ones and what they inflate to, ' +
      'and those of queries; more: 503, or 413 if a body alone needs more.',
    1024,
  ),
  lineBytesMax: { ...limit('Bytes of one line; a longer one is rejected.', 64), maximum: 1048576 },
  queriesMax: limit('Queries in one request, after `for-all-nodes` is expanded.'),
  seriesPerQueryMax: limit('Series one request may touch.'),
  pointsMax: limit('Points one request may return.'),
  answerBytesMax: limit('Bytes of text of one answer.'),
  archiveSamplesMax: limit('Samples read for one request that asks the archive.'),
  percentileExactMax: {
    ...limit(
      'Samples whose percentiles are exact; of more they come from a sketch and are off by at ' +
        'most 0.4 %.',
    ),
    maximum: PERCENTILE_EXACT_MAX,
  },
  queryTimeMsMax: { ...limit('Milliseconds one request may take.'), maximum: WAIT_MS_MAX },
  streamPointsMax: limit('Points of an answer that is streamed: NDJSON, CSV, Arrow.'),
  streamTimeMsMax: {
    ...limit('Milliseconds an answer that is streamed may take.'),
    maximum: WAIT_MS_MAX,
  },
  streamsMax: limit(
    'Answers that are streamed at one time, over all shards, of which each may take 2 MB a shard where ' +
      'its client is slow; more: 503.',
  ),
  lowPriorityQueriesMax: limit(
    'Requests with `priority=low` under way at one time, over all shards; more: 503.',
    0,
  ),
  eventStreamsMax: limit(
    'Clients that are told of events (`text/event-stream`) at one time; more: 503.',
    0,
  ),
  selectionsMax: limit('Selections in one request to `/api/v2/query`.'),
  jobsMax: limit('Jobs in one request for their statistics.'),
  hostsMax: limit(
    'Hosts that one request to `/api/v2` names, over all its selections or jobs; patterns count as one.',
  ),
  writeWaitMsMax: {
    ...limit('Milliseconds a write waits for room before it is answered 503.', 0),
    maximum: WAIT_MS_MAX,
  },
  connectionsMax: limit('Open connections; more are closed at once.'),
  seriesMax: limit(
    'Series over all shards, each of which takes an equal share; lines that would make more in ' +
      'the shard of their host are rejected.',
  ),
  prefixesMax: limit(
    'Line prefixes a shard remembers; the least useful go first. A series has one, mostly: with less room ' +
      'than series in a shard, lines cost ten times as much.',
  ),
  unitMismatchesMax: {
    ...limit(
      'Metrics of hosts listed whose unit can not be converted, over all shards, each of which ' +
        'takes an equal share; those beyond are only counted.',
      0,
    ),
    maximum: UNIT_MISMATCHES_MAX,
  },
  healthPairsMax: limit(
    'Metrics of hosts that the health check judges, over all shards, each of which takes an equal share; ' +
      'those beyond are only counted.',
    0,
  ),
  idleTimeoutSec: {
    ...limit('Seconds until a silent connection is closed (adapter `uws`: always 10).'),
    maximum: 3600,
  },
  requestTimeoutSec: {
    ...limit('Seconds in which a request must have come in, body included; later: 408 or closed.'),
    maximum: 86_400,
  },
  requestsPerSecondMax: limit(
    'Requests a second of one caller, on average; more: 429 with `Retry-After`; 0: any.',
    0,
  ),
  requestBurstMax: limit('Requests that one caller may send at once beyond that rate.'),
  callersMax: limit(
    'Callers whose requests are counted for that, and addresses whose wrong passwords are; of more the ' +
      'one silent for longest is forgotten.',
  ),
  tokensCachedMax: limit(
    'Verified tokens and passwords that are remembered: tokens until they expire.',
    0,
  ),
  tokenBytesMax: limit('Bytes of a token; a longer one is refused unread.', 256),
  failedLoginsMax: limit(
    'Wrong passwords, or wrong tokens, of one address within `lock-out-sec`; then such requests of it ' +
      'are answered 429 with `Retry-After` for that long; 0: any.',
    0,
  ),
  lockOutSec: { ...limit('Seconds for `failed-logins-max`.'), maximum: 86_400 },
  natsPendingBytesMax: limit(
    'Bytes of NATS messages that wait for room in the shards; of core NATS more are dropped and counted.',
    1024,
  ),
  natsMessageBytesMax: {
    ...limit('Bytes of one NATS message; a larger one is refused and counted.', 1024),
    maximum: ARENA_BYTES,
  },
  configChangesMax: limit(
    'Changes of the configuration that may wait for those before them; more are refused.',
  ),
};

/** Schemas of all limits, by the names that a file has for them. */
export const LIMIT_SCHEMAS: Readonly<Record<string, Schema>> = Object.fromEntries(
  Object.entries(LIMITS).map(([name, schema]) => [
    kebabCase(name),
    { ...schema, default: DEFAULTS.limits[name as keyof Limits] },
  ]),
);

function limit(description: string, minimum = 1): Schema {
  return { type: 'integer', minimum, maximum: Number.MAX_SAFE_INTEGER, description };
}

/** `bodyBytesMax` → `body-bytes-max`: the name of a setting in the file. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
