import { connect, RetentionPolicy } from 'nats';
import { eventually } from '../test/helpers/metrics.js';
import { hasNatsServer, startNatsServer } from '../test/helpers/nats-server.js';
import { natsStatus } from '../test/helpers/nats-store.js';
import { startServer } from '../test/helpers/server.js';
import { checkAnswer } from './check.js';
import { spawnNatsLoad, type NatsLoadTask } from './nats-load.js';
import type { Plan } from './plan.js';
import { referenceQueries } from './queries.js';
import type { Row } from './table.js';
import { makeBatches } from './workload.js';

const SEED = 1;
const STEP_SEC = 60;
const HOURS = 47;
const STREAM = 'LINES';
const ACTIVE_WAIT_MS = 20_000;

/** The canonical workload from a nats-server on this machine, a message a host; none where there is no server. */
export async function timeNats(plan: Plan, config: Record<string, unknown>): Promise<Row[]> {
  if (!hasNatsServer()) {
    console.log('NATS is not timed: there is no nats-server');
    return [];
  }
  const server = await startNatsServer({ jetStream: true });
  try {
    const client = await connect({ servers: server.url });
    const manager = await client.jetstreamManager();
    await manager.streams.add({
      name: STREAM,
      subjects: ['stream'],
      retention: RetentionPolicy.Workqueue,
    });
    await client.close();
    const subscriptions = [
      { 'subscribe-to': 'core' },
      { 'subscribe-to': 'stream', stream: STREAM },
    ];
    const { checkpoints, ...store } = config['metric-store'] as Record<string, unknown>;
    const directory = `${server.folder}/data`;
    return await timeStore(server.port, plan, {
      ...config,
      nats: { address: server.url },
      'metric-store': {
        ...store,
        'nats-subscriptions': subscriptions,
        checkpoints: { ...(checkpoints as object), directory },
      },
    });
  } finally {
    await server.remove();
  }
}

async function timeStore(
  natsPort: number,
  plan: Plan,
  config: Record<string, unknown>,
): Promise<Row[]> {
  const store = await startServer(config);
  try {
    const isActive = async (): Promise<boolean> =>
      (await natsStatus(store)).subscriptions.every(({ state }) => state === 'active');
    if (!(await eventually(isActive, ACTIVE_WAIT_MS))) throw new Error('NATS is not read');
    const startSec = Math.floor(Date.now() / 1000 / STEP_SEC - HOURS * 60) * STEP_SEC;
    const { scale } = plan;
    const shared = {
      natsPort,
      storeUrl: store.url,
      scale,
      seed: SEED,
      startSec,
      stepSec: STEP_SEC,
    };
    const rows: Row[] = [];
    let firstRound = 0;
    const run = async (subject: string, subscription: number, seconds: number): Promise<Row> => {
      const task: NatsLoadTask = { ...shared, subject, subscription, firstRound, seconds };
      const result = await spawnNatsLoad(task);
      firstRound = result.endRound;
      const kilobytes = Math.round(result.bytes / result.messages / 1000);
      const what = subscription === 0 ? 'NATS' : 'JetStream';
      const value = result.lines / result.seconds;
      return { what: `${what}, messages of ${kilobytes} KB`, value, unit: 'lines/s' };
    };
    for (const [subscription, subject] of ['core', 'stream'].entries()) {
      // New series are registered in the first round, and what is measured has run before.
      await run(subject, subscription, plan.warmUpSec);
      rows.push(await run(subject, subscription, plan.ingestSec));
    }
    const written = { batches: makeBatches(scale), seed: SEED, startSec, stepSec: STEP_SEC };
    const untilSec = startSec + firstRound * STEP_SEC;
    for (const [name, query] of Object.entries(referenceQueries(startSec, untilSec))) {
      const { json, text, status } = await store.query(query);
      if (status !== 200) throw new Error(`${name}: status ${status}: ${text.slice(0, 300)}`);
      checkAnswer(written, query, json);
    }
    return rows;
  } finally {
    await store.stop();
  }
}
