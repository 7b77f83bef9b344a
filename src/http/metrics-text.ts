import { metricFamily } from './metric-family.js';
import type { ArchiveStatus, MirrorStatus, StoreStatus } from '../routing/store.js';
import type { RequestCounts } from './route-table.js';
import type { Traffic } from './server.js';

/** Our own state in the Prometheus text format. Cheap: it reads counters in shared memory. */
export function metricsText(
  status: StoreStatus,
  requests: RequestCounts,
  traffic: Traffic,
  collectedBytes: number,
): string {
  const families: string[] = [];
  const family = (...of: Parameters<typeof metricFamily>): void => {
    families.push(metricFamily(...of));
  };
  const plain = new Map<string, string[]>();
  const byReason = new Map<string, string[]>();
  const { shards } = status;
  for (const { index, counters } of shards) {
    for (const [counter, value] of Object.entries(counters)) {
      const [kind, reason] = counter.split(':');
      if (reason === undefined) push(plain, counter, `{shard="${index}"} ${value}`);
      else push(byReason, kind!, `{shard="${index}",reason="${reason}"} ${value}`);
    }
  }
  for (const [counter, values] of plain) {
    const isGauge = counter.endsWith('_current');
    family(
      isGauge ? counter.slice(0, -'_current'.length) : counter,
      isGauge ? 'gauge' : 'counter',
      `${counter.replace(/_(total|current)$/, '').replaceAll('_', ' ')} of a shard`,
      values,
    );
  }
  for (const [kind, values] of byReason) {
    family(`lines_${kind}_total`, 'counter', `lines or fields ${kind}, by reason`, values);
  }
  const ready = shards.map((shard) => `{shard="${shard.index}"} ${shard.ready ? 1 : 0}`);
  family('shard_ready', 'gauge', '1 while a shard serves', ready);
  const restarts = shards.map((shard) => `{shard="${shard.index}"} ${shard.restarts}`);
  family('shard_restarts_total', 'counter', 'starts of a shard after a crash', restarts);
  const answered = [...requests].map(([key, count]) => {
    const [path, code] = key.split(' ');
    return `{path="${path}",status="${code}"} ${count}`;
  });
  family('http_requests_total', 'counter', 'requests answered, by path and status', answered);
  const front = [
    ...frontFamilies(traffic, collectedBytes),
    ...mirrorFamilies(status.mirror),
    ...archiveFamilies(status.archive),
  ];
  for (const one of front) family(...one);
  return families.join('');
}

type Family = readonly [name: string, type: 'counter' | 'gauge', help: string, value: number];

function frontFamilies(traffic: Traffic, collectedBytes: number): readonly Family[] {
  const refused = 'connections turned away at connections-max';
  const collected = 'bytes of bodies held at the moment, at most collected-bytes-max';
  return [
    [
      'http_requests_in_flight',
      'gauge',
      'requests not fully answered yet',
      traffic.requestsCurrent,
    ],
    ['http_collected_bytes', 'gauge', collected, collectedBytes],
    ['http_received_bytes_total', 'counter', 'bytes of request bodies', traffic.bodyBytesReceived],
    ['http_sent_bytes_total', 'counter', 'bytes of response bodies', traffic.bodyBytesSent],
    ['http_connections_refused_total', 'counter', refused, traffic.connectionsRefused],
    ['resident_memory_bytes', 'gauge', 'resident memory of the process', process.memoryUsage.rss()],
  ];
}

/** Only where checkpoints are copied to S3. */
function archiveFamilies(archive: ArchiveStatus | undefined): readonly Family[] {
  if (!archive) return [];
  const { state, bytesWaiting, filesWaiting, uploadedBytes, failures } = archive;
  return [
    ['archive_upload_up', 'gauge', '1 unless uploads to S3 fail', state === 'failing' ? 0 : 1],
    ['archive_upload_bytes_waiting', 'gauge', 'bytes still to be uploaded to S3', bytesWaiting],
    ['archive_upload_files_waiting', 'gauge', 'files still to be uploaded to S3', filesWaiting],
    ['archive_uploaded_bytes_total', 'counter', 'bytes of the archive on S3', uploadedBytes],
    ['archive_upload_failures_total', 'counter', 'rounds of uploads that failed', failures],
  ];
}

function mirrorFamilies(mirror: MirrorStatus | undefined): readonly Family[] {
  if (!mirror) return [];
  return [
    ['mirror_up', 'gauge', '1 unless checkpoints are not copied to S3', mirror.problem ? 0 : 1],
    ['mirror_bytes_waiting', 'gauge', 'bytes still to be copied to S3', mirror.bytesWaiting],
    ['mirror_files_waiting', 'gauge', 'files still to be copied to S3', mirror.filesWaiting],
    ['mirror_copied_bytes_total', 'counter', 'bytes copied to S3', mirror.copiedBytes],
    ['mirror_copied_files_total', 'counter', 'files copied to S3', mirror.copiedFiles],
    ['mirror_failures_total', 'counter', 'rounds of copying to S3 that failed', mirror.failures],
    [
      'mirror_current_timestamp_seconds',
      'gauge',
      'when S3 had all there was last; 0: not since the start',
      mirror.currentAtSec,
    ],
    ['mirror_downloaded_bytes', 'gauge', 'bytes downloaded at the start', mirror.downloadedBytes],
  ];
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
