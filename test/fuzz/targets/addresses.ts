import { readdirSync, readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ValidateFunction } from 'ajv';
import { PAGE_ENTRIES_DEFAULT, PAGE_ENTRIES_MAX } from '../../../src/model/catalogue.js';
import { startServer, type TestServer } from '../../helpers/server.js';
import { openSocket } from '../../helpers/socket.js';
import { api, resolve, schemaAt } from '../../http/description.js';
import {
  generateAddress,
  mutateAddress,
  readAddress,
  type AddressInput,
} from '../address-grammar.js';
import { NOW_SEC } from '../line-grammar.js';
import { mustHold, type Target, type TargetEntry } from '../target.js';

const ADAPTERS = ['uws', 'node'] as const;
type Adapter = (typeof ADAPTERS)[number];

/** Built where the store looks for them. */
const PAGES = fileURLToPath(new URL('../../../src/web/pages/', import.meta.url));
/** Longer than any answer takes on a loaded machine. */
const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Of an error: paths are repeated in it, and all paths that there are follow. */
const ERROR_CHARS_MAX = 40_000;
/** A head that is longer may be answered without a body. */
const HEAD_BYTES_MAX = 4000;
/** Samples are written, and memory and the log are looked at, each so many inputs. */
const LOOK_INPUTS = 20;
const GROWTH_BYTES_MAX = 200 * 1024 * 1024;
/** Of the caller's mistakes; 503 says when to come back. */
const REFUSALS = [400, 403, 404, 405, 406, 409, 413, 414, 415, 431, 503];
/** What libraries say of what is not quite HTTP. */
const HTTP_REFUSALS = [...REFUSALS, 501, 505];
/** By the ending of a file that may be served. */
const PAGE_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  json: 'application/json',
  svg: 'image/svg+xml',
};
/** Lists, by the key of their entries. */
const LISTS: Readonly<Record<string, string>> = {
  '/api/v2/clusters': 'clusters',
  '/api/v2/metrics': 'metrics',
  '/api/v2/hosts': 'hosts',
  '/api/v2/series': 'series',
  '/api/v2/health': 'hosts',
  '/api/v2/debug/levels': 'children',
  '/api/v2/debug/blocks': 'blocks',
  '/api/v2/debug/prefixes': 'prefixes',
};

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Whether what is in an address may be there as it is, so that every parser takes it alike. */
function isPlain({ address, accept }: AddressInput): boolean {
  return /^[\x21-\x7e]*$/.test(address) && address.length + accept.length < HEAD_BYTES_MAX;
}

/** Sends it byte for byte as it is, on a connection of its own; undefined: it is closed without an answer. */
async function send(port: number, input: AddressInput): Promise<Answer | undefined> {
  const { method, address, accept, body } = input;
  const socket = await openSocket(port);
  const head =
    `${method} ${address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n` +
    `${accept === '' ? '' : `Accept: ${accept}\r\n`}Connection: close\r\n\r\n`;
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answerOf(bytes, method));
    };
    const timer = setTimeout(end, ANSWER_MS_MAX);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length > ANSWER_BYTES_MAX || isWhole(bytes, method)) end();
    });
    socket.once('close', end);
    socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
  });
}

/** Events have no end: what they begin with tells the rest. */
function isWhole(bytes: Buffer, method: string): boolean {
  const at = bytes.indexOf('\r\n\r\n');
  if (at < 0) return false;
  const head = bytes.toString('latin1', 0, at).toLowerCase();
  const length = /\ncontent-length: *(\d+)/.exec(head)?.[1];
  if (method === 'HEAD' || head.includes('\ncontent-type: text/event-stream')) return true;
  if (length !== undefined) return bytes.length >= at + 4 + Number(length);
  return head.includes('chunked') && bytes.subarray(-7).toString('latin1') === '\r\n0\r\n\r\n';
}

function answerOf(bytes: Buffer, method: string): Answer | undefined {
  const at = bytes.indexOf('\r\n\r\n');
  if (at < 0) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, at).split('\r\n');
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const rest = bytes.subarray(at + 4);
  const isChunked = headers.get('transfer-encoding') === 'chunked' && method !== 'HEAD';
  const body = isChunked ? unchunked(rest) : rest;
  return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]), headers, body };
}

function unchunked(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n', at);
    const length = parseInt(bytes.toString('latin1', at, end), 16);
    if (end < 0 || !(length > 0)) break;
    pieces.push(bytes.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
  return Buffer.concat(pieces);
}

/** Compiled once. */
const validators = new Map<string, ValidateFunction>();

function validatorAt(keys: readonly string[]): ValidateFunction {
  const key = keys.join(' ');
  let known = validators.get(key);
  if (!known) validators.set(key, (known = schemaAt(keys) as ValidateFunction));
  return known;
}

/**
 * What clients put into addresses, and into small bodies, of two running stores: what takes an address
 * apart is the adapter, and which paths there are is put together by the program. That costs 5 ms an input.
 */
class AddressTarget implements Target {
  readonly name = 'addresses';
  readonly runsElsewhere = true;
  readonly generate = generateAddress;
  readonly mutate = mutateAddress;
  readonly #change: (answer: Answer, input: AddressInput) => Answer;
  readonly #pages = new Map<string, Buffer>();
  readonly #started: TestServer[] = [];
  #servers: ReadonlyMap<Adapter, TestServer> | undefined;
  #baseBytes = 0;
  #config = '';
  #inputs = 0;

  constructor(change: (answer: Answer, input: AddressInput) => Answer = (answer) => answer) {
    this.#change = change;
    for (const name of readdirSync(PAGES, { recursive: true, encoding: 'utf8' })) {
      if (PAGE_TYPES[/\.(\w+)$/.exec(name)?.[1] ?? ''] === undefined) continue;
      const bytes = readFileSync(join(PAGES, name));
      this.#pages.set(`/ui/${name}`, bytes);
      if (/^[^/]*\.html$/.test(name)) this.#pages.set(`/ui/${name.slice(0, -5)}`, bytes);
      if (name === 'swagger.html') {
        for (const path of ['/swagger', '/swagger/index.html']) this.#pages.set(path, bytes);
      }
    }
  }

  async run(bytes: Buffer): Promise<void> {
    const servers = (this.#servers ??= await this.#start());
    const input = harmless(readAddress(bytes));
    const told = `${input.method} ${input.address.slice(0, 300)}`;
    const answers = await Promise.all(
      ADAPTERS.map(async (adapter) => {
        const answer = await send(servers.get(adapter)!.port, input);
        const changed = answer && this.#change(answer, input);
        this.#check(input, changed, `${adapter}: ${told}`);
        return changed;
      }),
    );
    if (isPlain(input)) {
      const statuses = answers.map((answer) => answer!.status);
      const isBusy = statuses.includes(503);
      mustHold(isBusy || statuses[0] === statuses[1], () => `${told}: ${statuses.join(' and ')}`);
    }
    await this.#stillWorks(servers, told);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.map((server) => server.kill()));
  }

  async #start(): Promise<ReadonlyMap<Adapter, TestServer>> {
    const servers = new Map<Adapter, TestServer>();
    const start = async (adapter: Adapter): Promise<void> => {
      const server = await startServer({
        metrics: { '*': { frequency: 60, aggregation: 'avg' } },
        metricshard: { shards: 2, 'http-adapter': adapter, 'retention-enforced': false },
      });
      this.#started.push(server);
      servers.set(adapter, server);
      await write(server);
    };
    const outcomes = await Promise.allSettled(ADAPTERS.map(start));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const first = servers.get('uws')!;
    this.#baseBytes = first.rssBytes();
    this.#config = (await first.get('/api/v2/admin/config')).text;
    return servers;
  }

  #check(input: AddressInput, answer: Answer | undefined, told: string): void {
    const { method, address } = input;
    const isAsked = isPlain(input);
    mustHold(answer !== undefined || !isAsked, () => `${told}: no answer`);
    if (!answer) return;
    const { status, headers, body } = answer;
    const shown = (): string => `${told}: ${status} ${body.toString('latin1', 0, 500)}`;
    mustHold(body.length < ANSWER_BYTES_MAX, shown);
    const path = pathOf(address);
    if (status >= 400) {
      mustHold((isAsked ? REFUSALS : HTTP_REFUSALS).includes(status), shown);
      if (status === 405) mustHold(headers.has('allow'), () => `no Allow, ${shown()}`);
      if (status === 503) {
        mustHold(headers.has('retry-after'), () => `no Retry-After, ${shown()}`);
      }
      if (isAsked && method !== 'HEAD') this.#checkError(answer, path, shown);
      return;
    }
    const page = this.#pages.get(path);
    if (page) {
      const type = PAGE_TYPES[/\.(\w+)$/.exec(path)?.[1] ?? 'html'];
      const isTyped = headers.get('content-type')?.split(';')[0] === type;
      const isPage = method === 'GET' && status === 200 && isTyped && page.equals(body);
      mustHold(isPage, () => `not its page, ${shown()}`);
      return;
    }
    if (path === '/' || path === '/ui') {
      const isLed = status === 302 && headers.get('location') === '/ui/overview';
      mustHold(isLed && body.length === 0, shown);
      return;
    }
    mustHold(Object.hasOwn(api.paths, path), () => `is answered, but not described, ${shown()}`);
    this.#checkDescribed(input, path, answer, shown);
  }

  #checkError({ status, headers, body }: Answer, path: string, shown: () => string): void {
    mustHold(headers.get('content-type') === 'application/json', () => `no JSON, ${shown()}`);
    const told = JSON.parse(body.toString()) as { status?: unknown; error?: unknown };
    // They say more: each setting that is wrong, each shard that is not ready.
    const saysMore = path === '/api/v2/admin/config' || path === '/api/v2/admin/reload';
    const isError = saysMore || validatorAt(['components', 'schemas', 'Error'])(told) === true;
    const isNamed = told.status === STATUS_CODES[status] && typeof told.error === 'string';
    mustHold(path === '/ready' || (isError && isNamed), shown);
    mustHold(body.length < ERROR_CHARS_MAX, () => `${body.length} bytes, ${shown()}`);
  }

  /** The type is one that the description has, JSON is as its schema says, and pages are as long as asked. */
  #checkDescribed(
    { method, address }: AddressInput,
    path: string,
    { status, headers, body }: Answer,
    shown: () => string,
  ): void {
    const responses = ['paths', path, method.toLowerCase(), 'responses', String(status)];
    const { keys, value } = resolve(responses);
    mustHold(value !== undefined, () => `this status is not described, ${shown()}`);
    const type = (headers.get('content-type') ?? '').split(';')[0]!;
    if (!value.content) {
      mustHold(body.length === 0, () => `a body, ${shown()}`);
      return;
    }
    mustHold(Object.hasOwn(value.content, type), () => `Content-Type ${type}, ${shown()}`);
    if (type !== 'application/json') return;
    const json = JSON.parse(body.toString()) as Record<string, unknown>;
    // The description itself is no small answer to check each time.
    if (path === '/api/openapi.json') return;
    const isValid = validatorAt([...keys, 'content', type, 'schema']);
    mustHold(isValid(json) === true, () => `${JSON.stringify(isValid.errors)}, ${shown()}`);
    const entries = LISTS[path] === undefined ? undefined : json[LISTS[path]];
    // States are of clusters alone where no hosts are asked for.
    const isOptional = path === '/api/v2/health' && entries === undefined;
    if (LISTS[path] === undefined || isOptional) return;
    mustHold(Array.isArray(entries), () => `no list, ${shown()}`);
    const limit = new URLSearchParams(address.split('?')[1] ?? '').get('limit') || undefined;
    const most = limit === undefined ? PAGE_ENTRIES_DEFAULT : Number(limit);
    mustHold(most >= 1 && most <= PAGE_ENTRIES_MAX, () => `limit ${limit} is taken, ${shown()}`);
    mustHold(entries.length <= most, () => `${entries.length} entries, ${shown()}`);
  }

  /** Good requests are answered; nothing was logged that is our mistake; nothing was changed. */
  async #stillWorks(servers: ReadonlyMap<Adapter, TestServer>, told: string): Promise<void> {
    const isLook = ++this.#inputs % LOOK_INPUTS === 0;
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    for (const [adapter, server] of servers) {
      const { status } = await server.request('/health', { signal });
      mustHold(status === 200, () => `${adapter}: /health is ${status} after ${told}`);
      if (!isLook) continue;
      await write(server);
      mustHold(!/"level":50/.test(server.output()), () => server.output().slice(-2000));
    }
    if (!isLook) return;
    const first = servers.get('uws')!;
    const { text } = await first.get('/api/v2/admin/config');
    mustHold(text === this.#config, () => `the configuration is another: ${text}`);
    const grown = first.rssBytes() - this.#baseBytes;
    mustHold(grown < GROWTH_BYTES_MAX, () => `memory has grown by ${(grown / 1e6).toFixed()} MB`);
  }
}

/** What there is to list, also after some was freed. */
async function write(server: TestServer): Promise<void> {
  const lines = ['h0', 'h1', 'h2'].flatMap((host) =>
    ['', ',type=hwthread,type-id=0'].map(
      (tags) => `load,cluster=c,hostname=${host}${tags} value=1 ${NOW_SEC}\n`,
    ),
  );
  const { status, text } = await server.write(lines.join(''));
  mustHold(status === 200, () => `the store answers ${status}: ${text}`);
}

/** As the store reads it: nothing is decoded, and one slash at the end is as good as none. */
function pathOf(address: string): string {
  const path = address.split('?')[0]!;
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** Changes of the configuration are only tried: the next input needs the store as it is. */
function harmless(input: AddressInput): AddressInput {
  const { method, address } = input;
  const isChange = ['PUT', 'PATCH', 'DELETE'].includes(method) || address.includes('reload');
  const asked = /[?&]dry-run=false/.test(address);
  if (!isChange && !asked) return input;
  const [path = '', ...rest] = address.split('?');
  return {
    ...input,
    address: `${path}?dry-run=true&${rest.join('?').replaceAll('dry-run', 'dry')}`,
  };
}

export const addresses: TargetEntry = {
  name: 'addresses',
  shortRuns: 400,
  make: () => new AddressTarget(),
  mutants: {
    'a page is another file': () =>
      new AddressTarget((answer, { address }) =>
        address.startsWith('/ui/') && answer.status === 200
          ? { ...answer, body: Buffer.from('root:x:0:0') }
          : answer,
      ),
    'an error is text': () =>
      new AddressTarget((answer) =>
        answer.status === 400
          ? { ...answer, headers: new Map([['content-type', 'text/plain']]) }
          : answer,
      ),
    'what is asked wrongly is our fault': () =>
      new AddressTarget((answer) => (answer.status === 400 ? { ...answer, status: 500 } : answer)),
    'a limit is not kept': () =>
      new AddressTarget((answer, { address }) => {
        const limit = /[?&]limit=(1|2)(&|$)/.exec(address);
        if (!limit || answer.status !== 200) return answer;
        const page = JSON.parse(answer.body.toString()) as Record<string, unknown>;
        const doubled = Object.entries(page).map(([key, value]) =>
          Array.isArray(value) ? [key, [...value, ...value, ...value]] : [key, value],
        );
        return { ...answer, body: Buffer.from(JSON.stringify(Object.fromEntries(doubled))) };
      }),
  },
};
