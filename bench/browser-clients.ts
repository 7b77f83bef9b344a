import { fork } from 'node:child_process';
import { get } from 'node:http';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What the clients are to do. */
interface ClientsTask {
  readonly port: number;
  readonly clients: number;
  /** A range that there are samples in. */
  readonly fromSec: number;
  readonly toSec: number;
}

/** Clients that are open. */
export interface OpenClients {
  /** Resolves when all streams of events have begun. */
  readonly ready: Promise<void>;
  /** Resolves to how many requests they have made beside streams. */
  close(): Promise<number>;
}

/** What a page does again and again. */
interface Request {
  readonly everySec: number;
  readonly path: string;
  readonly body?: object;
}

/** What an open page asks for. */
interface Page {
  readonly streams: readonly string[];
  readonly requests: readonly Request[];
}

const QUERY = '/api/v2/query?priority=low';

/** The traffic of pages at the pace they have, where people are busy: curves are zoomed each 5 s. */
function pagesOf({ fromSec, toSec }: ClientsTask): readonly Page[] {
  const range = { cluster: 'alex', from: fromSec, to: toSec };
  const overview: Page = {
    streams: ['/api/v2/live', '/api/v2/health/events'],
    requests: [
      // Once when it is opened, and here again, as if somebody opened one more each minute.
      { everySec: 60, path: '/api/v2/history?seconds=3600' },
      { everySec: 10, path: '/api/v2/health?detail=clusters' },
    ],
  };
  const nodes: Page = {
    streams: ['/api/v2/health/events'],
    requests: [
      { everySec: 60, path: '/api/v2/health?detail=hosts&limit=10000' },
      {
        everySec: 30,
        path: QUERY,
        body: { ...range, select: { metric: '*', hosts: 'a0101', points: 60 } },
      },
    ],
  };
  const explore: Page = {
    streams: [],
    requests: [
      {
        everySec: 5,
        path: QUERY,
        body: {
          ...range,
          select: ['avg', 'min', 'max'].map((resample) => ({
            metric: ['flops_any', 'mem_bw', 'clock', 'ipc'],
            hosts: 'a[0101-0110]',
            points: 600,
            resample,
            stats: true,
          })),
        },
      },
      { everySec: 10, path: '/api/v2/hosts?cluster=alex&limit=200&priority=low' },
    ],
  };
  const debug: Page = {
    streams: [],
    requests: [
      { everySec: 10, path: '/api/v2/debug/log?level=info' },
      { everySec: 10, path: '/api/v2/debug/slow-queries' },
    ],
  };
  return [overview, nodes, overview, explore, overview, nodes, explore, debug];
}

/** Starts clients in one process of their own; it does what browsers do, without drawing it. */
export function openClients(task: ClientsTask): OpenClients {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(task)]);
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`the clients ended with ${code}`)));
    });
  return {
    ready: next().then(() => {}),
    close: async () => {
      const requests = next();
      child.send('stop');
      return (await requests) as number;
    },
  };
}

async function main(task: ClientsTask): Promise<void> {
  const pages = pagesOf(task);
  const base = `http://127.0.0.1:${task.port}`;
  let requests = 0;
  const ask = async ({ path, body }: Request): Promise<void> => {
    const init = body ? { method: 'POST', body: JSON.stringify(body) } : {};
    const answer = await fetch(base + path, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 400)}`);
    requests++;
  };
  const begun: Promise<void>[] = [];
  for (let client = 0; client < task.clients; client++) {
    const { streams, requests: wanted } = pages[client % pages.length]!;
    for (const path of streams) begun.push(listen(base + path));
    for (const request of wanted) {
      // Evenly spread: people do not look all at once.
      const turn = (client / task.clients) * request.everySec * 1000;
      setTimeout(() => {
        void ask(request);
        setInterval(() => void ask(request), request.everySec * 1000);
      }, turn);
    }
  }
  await Promise.all(begun);
  process.send!('ready');
  process.once('message', () => process.send!(requests, () => process.exit(0)));
  process.once('disconnect', () => process.exit(0));
}

/** Resolves when a stream has begun; what it tells is read and thrown away. */
function listen(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { accept: 'text/event-stream' } }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url}: ${answer.statusCode}`));
      answer.resume();
      resolve();
    });
    request.on('error', reject);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(JSON.parse(process.argv[2] ?? '{}') as ClientsTask);
}
