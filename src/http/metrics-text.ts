import { counterHelp } from '../protocol/counters.js';
import type { LatencyHistogram } from '../protocol/latency-histogram.js';
import type { ArchiveStatus, MirrorStatus, ShardStatus, Store } from '../routing/store.js';
import { OUTCOMES, type RequestTimes } from './request-times.js';
import { histogramFamily, metricFamily } from './metric-family.js';
import type { Traffic } from './server.js';

/** What `/metrics` is made of, beside the parts of the program. */
export interface MetricsSources {
  readonly store: Store;
  readonly requests: RequestTimes;
  readonly traffic: Traffic;
  readonly collectedBytes: number;
}

/** Our own state in the Prometheus text format. Cheap: it reads counters in shared memory. */
export function metricsText({ store, requests, traffic, collectedBytes }: MetricsSources): string {
  const status = store.status();
  const numbers = [
    ...frontFamilies(traffic, collectedBytes),
    ...mirrorFamilies(status.mirror),
    ...archiveFamilies(status.archive),
  ];
  return [
    shardFamilies(status.shards),
    turnFamily(store),
    requestFamilies(requests),
    ...numbers.map((family) => metricFamily(...family)),
  ].join('');
}

function shardFamilies(shards: readonly ShardStatus[]): string {
  const plain = new Map<string, string[]>();
  const byReason = new Map<string, string[]>();
  for (const { index, counters } of shards) {
    for (const [counter, value] of Object.entries(counters)) {
      const [kind, reason] = counter.split(':');
      if (reason === undefined) push(plain, counter, `{shard="${index}"} ${value}`);
      else push(byReason, kind!, `{shard="${index}",reason="${reason}"} ${value}`);
    }
  }
  const families: string[] = [];
  for (const [counter, values] of plain) {
    const isGauge = counter.endsWith('_current');
    const name = isGauge ? counter.slice(0, -'_current'.length) : counter;
    const type = isGauge ? 'gauge' : 'counter';
    families.push(metricFamily(name, type, counterHelp(counter), values));
  }
  for (const [kind, values] of byReason) {
    const what = `Lines or fields ${kind}, by reason.`;
    families.push(metricFamily(`lines_${kind}_total`, 'counter', what, values));
  }
  const ready = shards.map((shard) => `{shard="${shard.index}"} ${shard.ready ? 1 : 0}`);
  const restarts = shards.map((shard) => `{shard="${shard.index}"} ${shard.restarts}`);
  const again = 'Starts of a shard after it died.';
  families.push(
    metricFamily('shard_ready', 'gauge', '1 while a shard serves.', ready),
    metricFamily('shard_restarts_total', 'counter', again, restarts),
  );
  return families.join('');
}

function turnFamily(store: Store): string {
  const times = store
    .turnTimes()
    .map(({ shard, kind, times: of }) => [`shard="${shard}",work="${kind}"`, of] as const);
  const help = 'How long a shard did one thing: read lines and write their log, or answer queries.';
  return histogramFamily('shard_turn_duration_seconds', help, times);
}

/** What nobody has asked for yet has no lines: most paths are never refused, or fail. */
function requestFamilies(requests: RequestTimes): string {
  const answered: string[] = [];
  const times: [string, LatencyHistogram][] = [];
  for (const path of requests.all()) {
    for (const [status, count] of path.byStatus) {
      answered.push(`{path="${path.label}",status="${status}"} ${count}`);
    }
    for (const outcome of OUTCOMES) {
      const histogram = path.histogram(outcome);
      if (histogram.count === 0) continue;
      times.push([`path="${path.label}",outcome="${outcome}"`, histogram]);
    }
  }
  const help = 'Time until an answer began: ok (below 400), refused (4xx) or failed (5xx).';
  return (
    metricFamily('http_requests_total', 'counter', 'Requests answered.', answered) +
    histogramFamily('http_request_duration_seconds', help, times)
  );
}

type Family = readonly [name: string, type: 'counter' | 'gauge', help: string, value: number];

function frontFamilies(traffic: Traffic, collectedBytes: number): readonly Family[] {
  const { requestsCurrent, bodyBytesReceived, bodyBytesSent, connectionsRefused } = traffic;
  const collected = 'Bytes of bodies held at the moment, at most collected-bytes-max.';
  const refused = 'Connections turned away at connections-max.';
  return [
    ['http_requests_in_flight', 'gauge', 'Requests not fully answered yet.', requestsCurrent],
    ['http_collected_bytes', 'gauge', collected, collectedBytes],
    ['http_received_bytes_total', 'counter', 'Bytes of request bodies.', bodyBytesReceived],
    ['http_sent_bytes_total', 'counter', 'Bytes of response bodies.', bodyBytesSent],
    ['http_connections_refused_total', 'counter', refused, connectionsRefused],
  ];
}

/** Only where the archive is on S3. */
function archiveFamilies(archive: ArchiveStatus | undefined): readonly Family[] {
  if (!archive) return [];
  const { state, bytesWaiting, filesWaiting, uploadedBytes, failures } = archive;
  return [
    ['archive_upload_up', 'gauge', '1 unless uploads to S3 fail.', state === 'failing' ? 0 : 1],
    ['archive_upload_bytes_waiting', 'gauge', 'Bytes still to be uploaded to S3.', bytesWaiting],
    ['archive_upload_files_waiting', 'gauge', 'Files still to be uploaded to S3.', filesWaiting],
    ['archive_uploaded_bytes_total', 'counter', 'Bytes of the archive on S3.', uploadedBytes],
    ['archive_upload_failures_total', 'counter', 'Rounds of uploads that failed.', failures],
  ];
}

/** Only where checkpoints are copied to S3. */
function mirrorFamilies(mirror: MirrorStatus | undefined): readonly Family[] {
  if (!mirror) return [];
  return [
    ['mirror_up', 'gauge', '1 unless checkpoints are not copied to S3.', mirror.problem ? 0 : 1],
    ['mirror_bytes_waiting', 'gauge', 'Bytes still to be copied to S3.', mirror.bytesWaiting],
    ['mirror_files_waiting', 'gauge', 'Files still to be copied to S3.', mirror.filesWaiting],
    ['mirror_copied_bytes_total', 'counter', 'Bytes copied to S3.', mirror.copiedBytes],
    ['mirror_copied_files_total', 'counter', 'Files copied to S3.', mirror.copiedFiles],
    ['mirror_failures_total', 'counter', 'Rounds of copying to S3 that failed.', mirror.failures],
    [
      'mirror_current_timestamp_seconds',
      'gauge',
      'When S3 had all there was last, Unix time; 0: not since the start.',
      mirror.currentAtSec,
    ],
    ['mirror_downloaded_bytes', 'gauge', 'Bytes downloaded at the start.', mirror.downloadedBytes],
  ];
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
