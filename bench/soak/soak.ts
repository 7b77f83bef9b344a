import { setTimeout as delay } from 'node:timers/promises';
import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import { hasNatsServer } from '../../test/helpers/nats-server.js';
import { Random } from '../../test/helpers/random.js';
import { Chaos } from './chaos.js';
import { Checker } from './checker.js';
import { CoreWriter } from './core-writer.js';
import { settle } from './ending.js';
import { HttpClient } from './http-client.js';
import { HttpWriter } from './http-writer.js';
import { Journal } from './journal.js';
import { Ledger } from './ledger.js';
import { makePlace, RETENTION_SEC, type Place } from './place.js';
import type { Plan } from './plan.js';
import { Readers } from './readers.js';
import { makeResult, type Result } from './result.js';
import { Sampler } from './sampler.js';
import { runSchedule } from './schedule.js';
import { CLUSTERS, type Road, type SoakHost } from './site.js';
import { SlowClients } from './slow-clients.js';
import { SoakStore, type Process } from './soak-store.js';
import { makeStream, StreamWriter } from './stream-writer.js';
import { Tally } from './tally.js';

const WRITERS = 4;
const CHECKERS = 2;
const STREAM_HOSTS = 4;
const CORE_HOSTS = 2;
/** Hosts of other roads than HTTP, and the one that is freed. */
const OTHER_HOSTS = STREAM_HOSTS + CORE_HOSTS + 2;
/** One host comes and another goes. */
const CHANGE_MS = 20_000;
/** Hosts begin so long ago, so that there are sealed blocks, and data past a shorter retention. */
const BACKFILL_SEC = RETENTION_SEC - 60;
const NEW_HOST_BACKFILL_SEC = 100;
/** Of how long outages and bad clients last, where there is half a minute for all. */
const SMOKE_SHARE = 0.25;
const FINISH_MS_MAX = 60_000;

/** All that takes part in a run. */
export interface Run {
  readonly plan: Plan;
  readonly place: Place;
  readonly store: SoakStore;
  readonly client: HttpClient;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly tally: Tally;
  readonly checker: Checker;
  readonly sampler: Sampler;
  readonly chaos: Chaos;
  readonly stream: StreamWriter;
}

/** Runs a soak from its first start of the store to its last stop. */
export async function runSoak(plan: Plan): Promise<{ result: Result; folder: string }> {
  if (!hasNatsServer()) throw new Error('there is no nats-server: apt-get install nats-server');
  const journal = new Journal();
  const place = await makePlace(plan, plan.hosts + OTHER_HOSTS);
  const store = new SoakStore(place, journal);
  let isRight = false;
  const connection = await connect({
    servers: place.nats.url,
    reconnectTimeWait: 200,
    maxReconnectAttempts: -1,
  });
  try {
    const result = await runIn(plan, place, store, journal, connection);
    isRight = result.failures.length === 0;
    return { result, folder: place.folder };
  } finally {
    await store.kill();
    await connection.close().catch(() => undefined);
    await place.close(plan.keep || !isRight);
  }
}

/** Those that send and ask, in a run. */
interface Parties {
  readonly writers: readonly HttpWriter[];
  readonly core: CoreWriter;
  readonly readers: Readers;
  readonly slow: SlowClients;
  readonly hosts: HostMaker;
}

async function runIn(
  plan: Plan,
  place: Place,
  store: SoakStore,
  journal: Journal,
  connection: NatsConnection,
): Promise<Result> {
  const random = new Random(plan.seed);
  const newRandom = (): Random => new Random(random.below(2 ** 31));
  const manager = await makeStream(connection);
  const { run, parties } = prepare({ plan, place, store, journal, connection, manager }, newRandom);
  const { client, stream, sampler, checker, chaos } = run;
  const { writers, core, readers, slow, hosts } = parties;
  await store.start();
  await store.ready(client);
  console.log(`folder ${place.folder}`);
  journal.note('ready', `seed ${plan.seed}, ${plan.shards} shards`);

  const writing = Promise.all(writers.map((writer) => writer.run()));
  const others = [
    stream.run(),
    core.run(),
    sampler.run(),
    ...Array.from({ length: CHECKERS }, () => checker.run(newRandom())),
    readers.run(newRandom()),
    slow.run(newRandom()),
  ];
  const runSec = journal.nowSec + plan.minutes * 60;
  const changing = changeHosts(writers, hosts, journal, runSec);
  await runSchedule(chaos, journal, newRandom(), runSec, plan.smoke);
  await changing;

  journal.note('the load ends');
  for (const writer of writers) writer.finish();
  core.stop();
  stream.stop();
  const late = delay(FINISH_MS_MAX, 'late', { ref: false });
  if ((await Promise.race([writing, late])) === 'late') {
    journal.fail(`writers have something to send ${FINISH_MS_MAX} ms after the end`);
    for (const writer of writers) writer.stop();
  }
  readers.stop();
  slow.stop();
  checker.stop();
  await settle(run);
  sampler.stop();
  await Promise.all([writing, ...others]);
  return makeResult(run);
}

/** Makes all that takes part, and the hosts of each; nothing is sent yet. */
function prepare(
  parts: Pick<Run, 'plan' | 'place' | 'store' | 'journal'> & {
    connection: NatsConnection;
    manager: JetStreamManager;
  },
  newRandom: () => Random,
): { run: Run; parties: Parties } {
  const { plan, place, store, journal, connection, manager } = parts;
  const ledger = new Ledger(plan.seed);
  const tally = new Tally();
  const targetOf = (): Process | undefined => store.process;
  const client = new HttpClient(targetOf, place.token);
  const shared = { seed: plan.seed, client, ledger, journal, tally };
  const hosts = new HostMaker(ledger);
  const retentionSec = (): number => chaos.retentionSec;
  const writers = Array.from(
    { length: WRITERS },
    () => new HttpWriter({ ...shared, retentionSec }, newRandom()),
  );
  const freedHost = hosts.make('freed', BACKFILL_SEC);
  const chaos = new Chaos({
    place,
    store,
    client,
    ledger,
    journal,
    tally,
    writers,
    freedHost,
    holdShare: plan.smoke ? SMOKE_SHARE : 1,
  });
  writers[0]!.add(freedHost);
  for (let i = 0; i < plan.hosts; i++) {
    writers[i % WRITERS]!.add(hosts.make('http', BACKFILL_SEC));
  }
  const streamHosts = hosts.several('stream', STREAM_HOSTS);
  const coreHosts = hosts.several('core', CORE_HOSTS);
  const stream = new StreamWriter(shared, connection, manager, streamHosts, newRandom());
  const core = new CoreWriter(shared, client, store, connection, coreHosts);
  const checker = new Checker(client, ledger, journal);
  const sampler = new Sampler({ store, place, ledger, journal });
  const readers = new Readers(shared, targetOf);
  const slow = new SlowClients(
    shared,
    targetOf,
    hosts.make('broken', 0),
    plan.smoke ? SMOKE_SHARE : 1,
  );
  const run = { plan, place, store, client, ledger, journal, tally };
  return {
    run: { ...run, checker, sampler, chaos, stream },
    parties: { writers, core, readers, slow, hosts },
  };
}

/** Now and then a host comes, with some data of before, and another falls silent. */
async function changeHosts(
  writers: readonly HttpWriter[],
  hosts: HostMaker,
  journal: Journal,
  untilSec: number,
): Promise<void> {
  for (let round = 0; ; round++) {
    const leftMs = (untilSec - journal.nowSec) * 1000;
    await delay(Math.min(CHANGE_MS, Math.max(0, leftMs)));
    if (journal.nowSec >= untilSec) return;
    const writer = writers[round % writers.length]!;
    writer.add(hosts.make('http', NEW_HOST_BACKFILL_SEC));
    // The first host of the first writer is the one that is freed.
    if (round % writers.length !== 0) writer.retire();
    journal.count('hosts that came');
  }
}

/** Names hosts and gives them their first second. */
class HostMaker {
  readonly #ledger: Ledger;
  #count = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  make(road: Road, backfillSec: number): SoakHost {
    const number = this.#count++;
    const fromSec = Math.floor(Date.now() / 1000) - backfillSec;
    const isOfFirst = road !== 'http' || number % 3 !== 0;
    const cluster = CLUSTERS[isOfFirst ? 0 : 1]!;
    const host = { number, name: `${road[0]}${number}`, cluster, road, fromSec };
    this.#ledger.open(host);
    return host;
  }

  several(road: Road, count: number): SoakHost[] {
    return Array.from({ length: count }, () => this.make(road, 0));
  }
}
