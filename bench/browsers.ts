import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { startBrowser } from '../test/helpers/browser.js';
import { startServer, type TestServer } from '../test/helpers/server.js';
import { openClients, type OpenClients } from './browser-clients.js';
import { spawnLoad, type LoadTask } from './load.js';
import { formatTable, type Row } from './table.js';

const USAGE = `usage: npm run bench:browsers -- [flags]
  --clients N   open pages (default 20)
  --seconds N   each round is timed for N s alone and N s beside the pages (default 6)
  --rounds N    default 5
  --shards N    default: the store's own
  --chromium    real pages in a Chromium on this machine, which takes its share of the cores itself:
                the CPU time a line is what counts then`;

const STEP_SEC = 60;
const SEED = 1;
const WRITE_CONNECTIONS = 8;
const LOADED_ROUNDS = 90;
/** Share of the time of a line that pages may cost. */
const RATIO_MIN = 0.95;

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '5' },
    shards: { type: 'string' },
    chromium: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** Ingest of one kind of round. */
interface Measured {
  readonly linesPerSec: number;
  /** CPU time of the store, in all its threads. */
  readonly cpuUsPerLine: number;
}

if (values.help) console.log(USAGE);
else await main();

/** Ingest as fast as it goes, without open pages and beside them, in turns. */
async function main(): Promise<void> {
  const [clients, seconds, rounds] = [values.clients, values.seconds, values.rounds].map(
    Number,
  ) as [number, number, number];
  const server = await startServer({
    metrics: { '*': { frequency: STEP_SEC, aggregation: 'avg' } },
    // No checkpoint may fall into a round of one kind.
    'metric-store': { 'checkpoint-interval': '24h', checkpoints: { 'max-wal-size': 1e12 } },
    metricshard: { future: '8760h', ...(values.shards && { shards: Number(values.shards) }) },
  });
  try {
    const alone: Measured[] = [];
    const beside: Measured[] = [];
    let requests = 0;
    let task = taskOf(server.port);
    task = { ...task, firstRound: (await spawnLoad(task)).endRound, endRound: 1e9, seconds };
    const measure = async (results: Measured[]): Promise<void> => {
      const before = server.cpuSeconds();
      const { lines, linesPerSec, endRound } = await spawnLoad(task);
      const cpuUsPerLine = ((server.cpuSeconds() - before) / lines) * 1e6;
      task = { ...task, firstRound: endRound };
      results.push({ linesPerSec, cpuUsPerLine });
    };
    // Whoever comes first has the better place; so each is first every other time.
    for (let round = 0; round < rounds; round++) {
      const turns = [() => measure(alone), () => besidePages()];
      if (round % 2 === 1) turns.reverse();
      for (const turn of turns) await turn();
    }
    print(clients, alone, beside, requests);

    async function besidePages(): Promise<void> {
      const open = values.chromium ? await openChromium(server, clients) : openSimulated(server);
      await open.ready;
      await measure(beside);
      requests += await open.close();
    }
    function openSimulated({ port }: TestServer): OpenClients {
      const { startSec } = task;
      return openClients({ port, clients, fromSec: startSec, toSec: startSec + 3600 });
    }
  } finally {
    await server.stop();
  }
}

function taskOf(port: number): LoadTask {
  const untilSec = Math.floor(Date.now() / 1000 / STEP_SEC) * STEP_SEC;
  return {
    port,
    connections: WRITE_CONNECTIONS,
    scale: 1,
    seed: SEED,
    startSec: untilSec - LOADED_ROUNDS * STEP_SEC,
    stepSec: STEP_SEC,
    firstRound: 0,
    endRound: LOADED_ROUNDS,
    seconds: 0,
    linesPerSec: 0,
  };
}

/** Pages as people have them open: most look at the overview. */
async function openChromium(server: TestServer, clients: number): Promise<OpenClients> {
  const browser = await startBrowser();
  const paths = ['overview', 'nodes', 'overview', 'debug?view=log'];
  for (let client = 0; client < clients; client++) {
    await browser.open(`${server.url}/ui/${paths[client % paths.length]!}`);
  }
  return { ready: Promise.resolve(), close: () => browser.close().then(() => 0) };
}

function print(
  clients: number,
  alone: readonly Measured[],
  beside: readonly Measured[],
  requests: number,
): void {
  const what = `  beside ${clients} ${values.chromium ? 'pages in Chromium' : 'clients like pages'}`;
  const rates = [alone, beside].map((of) => median(of.map(({ linesPerSec }) => linesPerSec)));
  const times = [alone, beside].map((of) => median(of.map(({ cpuUsPerLine }) => cpuUsPerLine)));
  // Round by round: a store that fills up gets slower, whoever comes first.
  const rate = median(alone.map((of, round) => beside[round]!.linesPerSec / of.linesPerSec));
  const cost = median(alone.map((of, round) => of.cpuUsPerLine / beside[round]!.cpuUsPerLine));
  const rows: Row[] = [
    { what: 'ingest, alone', value: rates[0]!, unit: 'lines/s' },
    { what, value: rates[1]!, unit: 'lines/s', ratio: rate, ratioTo: 'the rate alone' },
    { what: 'lines by CPU time of the store', value: 1 / times[0]!, unit: 'M lines/s' },
    { what, value: 1 / times[1]!, unit: 'M lines/s', ratio: cost, ratioTo: 'those alone' },
    ...(values.chromium ? [] : [{ what: '  their requests', value: requests, unit: '' }]),
  ];
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`);
  console.log(formatTable(rows));
  const isMet = (values.chromium ? cost : rate) >= RATIO_MIN;
  console.log(isMet ? `at least ${RATIO_MIN}` : `LESS than ${RATIO_MIN}`);
  if (!isMet) process.exitCode = 1;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
