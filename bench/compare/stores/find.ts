import { existsSync } from 'node:fs';
import { findProgram } from '../processes.js';
import type { Plan } from '../plan.js';
import type { Context, Skipped, Store } from '../store.js';
import { CcMetricStore } from './cc-metric-store.js';
import { InfluxDb } from './influxdb.js';
import { Metricshard } from './metricshard.js';
import { findPostgresql, Postgresql } from './postgresql.js';
import { Prometheus } from './prometheus.js';
import { VictoriaMetrics } from './victoria-metrics.js';

/** Stores, and those that are not there. */
export interface Found {
  readonly metricshard: Metricshard;
  /** Ourselves first. */
  readonly stores: readonly Store[];
  readonly skipped: readonly Skipped[];
}

interface Candidate {
  readonly name: string;
  /** Undefined: it is not there. */
  readonly program: string | undefined;
  readonly make: (program: string, context: Context) => readonly Store[];
  readonly howToGet: string;
}

/** Looks which stores are on this machine. */
export function findStores(plan: Plan, context: Context, jobs: number): Found {
  const metricshard = new Metricshard(context, jobs);
  const stores: Store[] = [metricshard];
  const skipped: Skipped[] = [];
  for (const { name, program, make, howToGet } of candidates(plan)) {
    const isWanted = plan.stores?.some((start) => name.toLowerCase().startsWith(start)) ?? true;
    if (!isWanted) skipped.push({ name, reason: 'not among `--stores`' });
    else if (program === undefined) skipped.push({ name, reason: howToGet });
    else stores.push(...make(program, context));
  }
  return { metricshard, stores, skipped };
}

function candidates({ ccMetricStore }: Plan): Candidate[] {
  if (ccMetricStore !== undefined && !existsSync(ccMetricStore)) {
    throw new Error(`--cc-metric-store ${ccMetricStore}: no such file`);
  }
  const debian = (name: string): string =>
    `not installed: Debian package \`${name}\`, or \`scripts/bench-peers\``;
  const noAdapter = 'not in Debian, and the suite has no part that starts it';
  return [
    {
      name: 'cc-metric-store',
      program: ccMetricStore,
      make: (program, context) => [
        new CcMetricStore(program, 'wal', context),
        new CcMetricStore(program, 'json', context),
      ],
      howToGet:
        'no binary was given: build it from its sources, and name it by `--cc-metric-store`',
    },
    {
      name: 'VictoriaMetrics',
      program: findProgram('victoria-metrics', 'victoria-metrics-prod'),
      make: (program, context) => [new VictoriaMetrics(program, context)],
      howToGet: debian('victoria-metrics'),
    },
    {
      name: 'Prometheus',
      program: findProgram('prometheus'),
      make: (program, context) => [new Prometheus(program, context)],
      howToGet: debian('prometheus'),
    },
    {
      name: 'InfluxDB',
      program: findProgram('influxd'),
      make: (program, context) => [new InfluxDb(program, context)],
      howToGet: debian('influxdb'),
    },
    {
      name: 'PostgreSQL',
      program: findPostgresql(),
      make: (program, context) => [new Postgresql(program, context)],
      howToGet: debian('postgresql'),
    },
    { name: 'TimescaleDB', program: undefined, make: () => [], howToGet: noAdapter },
    { name: 'QuestDB', program: undefined, make: () => [], howToGet: noAdapter },
  ];
}
