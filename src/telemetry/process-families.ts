import { readdirSync } from 'node:fs';
import { plainFamily } from '../http/metric-family.js';

/** What Prometheus wants to know of any process, by the names that all have for it. */
export function processFamilies(startedSec: number): string {
  const { user, system } = process.cpuUsage();
  const cpuSec = (user + system) / 1e6;
  const families = [
    plainFamily('process_cpu_seconds_total', 'counter', 'CPU time of all threads.', cpuSec),
    plainFamily(
      'process_resident_memory_bytes',
      'gauge',
      'Resident memory.',
      process.memoryUsage.rss(),
    ),
    plainFamily(
      'process_start_time_seconds',
      'gauge',
      'When the process began, Unix time.',
      startedSec,
    ),
  ];
  const openFiles = countOpenFiles();
  if (openFiles !== undefined) {
    families.push(plainFamily('process_open_fds', 'gauge', 'Open files and sockets.', openFiles));
  }
  return families.join('');
}

/** undefined where there is no such folder. */
function countOpenFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}
