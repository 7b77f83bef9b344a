import type { Random } from '../helpers/random.js';
import { edgeOf, mutateBytes } from './mutate.js';

/** What a client sends: `METHOD ADDRESS`, what it accepts, then the body; one byte a character. */
export interface AddressInput {
  readonly method: string;
  readonly address: string;
  readonly accept: string;
  readonly body: Buffer;
}

const LIST = ['limit', 'after', 'priority', 'match', 'cluster'];
/** Parameters that paths know. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  '/api/v2/clusters': LIST,
  '/api/v2/metrics': LIST,
  '/api/v2/hosts': [...LIST, 'sub-cluster'],
  '/api/v2/series': [...LIST, 'host', 'metric', 'type'],
  '/api/v2/health': [
    'cluster',
    'sub-cluster',
    'host',
    'state',
    'metric-state',
    'metric',
    'detail',
    'limit',
    'after',
  ],
  '/api/v2/health/events': ['cluster'],
  '/api/v2/history': ['seconds'],
  '/api/v2/live': [],
  '/api/v2/me': [],
  '/api/v2/status': [],
  '/api/v2/unit-mismatches': ['cluster', 'host', 'metric'],
  '/api/v2/debug/levels': ['level', 'level', 'limit', 'after'],
  '/api/v2/debug/blocks': ['level', 'level', 'metric', 'limit', 'after'],
  '/api/v2/debug/prefixes': ['shard', 'contains', 'limit', 'after'],
  '/api/v2/debug/rejected': [],
  '/api/v2/debug/slow-queries': [],
  '/api/v2/debug/log': ['level', 'after'],
  '/api/debug': ['selector'],
  '/api/openapi.json': [],
  '/ping': [],
  '/health': [],
  '/ready': [],
  '/metrics': [],
};
/** So many of the first values of a parameter are good ones, of most. */
const GOOD_VALUES = 3;
const VALUES: Readonly<Record<string, readonly string[]>> = {
  limit: ['1', '2', '10000', '10001', '0', '01', '1.0', '+1', '1e3', '999999999999999'],
  after: [
    cursorOf(['c']),
    cursorOf(['c', 'h0']),
    cursorOf(['c', 'h1', '', '', '', '', 'load']),
    cursorOf(['\ud800', '\0', 'x'.repeat(3000)]),
    cursorOf([]),
    cursorOf({ length: 2 }),
    'bnVsbA',
    '_-_-',
    '0',
  ],
  priority: ['low', 'normal', 'low', 'high', 'LOW'],
  match: ['*', 'h*', 'h[0-2]', 'h[0-99999999]', 'c/h?/*', '[', 'h[1-', '*'.repeat(300), 'l?ad'],
  cluster: ['c', 'probe', 'unseen', '__proto__', '*'],
  'sub-cluster': ['main', '*', 'constructor'],
  host: ['h0', 'h*', 'h[0-1]', 'h[2-0]', 'h[0-9][0-9][0-9][0-9][0-9]', ','],
  metric: ['load', 'power', 'l*', '__proto__'],
  type: ['hwthread', 'node', 'cpu', 'toString'],
  state: ['full', 'failed', 'partial', 'FULL', 'full,failed'],
  'metric-state': ['stale', 'missing', 'ok', 'degraded'],
  detail: ['true', 'false', 'metrics', 'none'],
  seconds: ['0', '1', '60', '3600', '86400', '-1', '1e2'],
  level: ['c', 'h0', 'hwthread0', 'warn', 'error', '60', '__proto__'],
  shard: ['0', '1', '2', '9999', '-1', '00'],
  contains: ['load', ',', '"', '\\'],
  selector: ['c', 'c:h0', 'c:h0:hwthread0', ':', '::::', 'c:', 'hasOwnProperty'],
  to: ['0', '1', '4000000000', '-1', '999999999999999', '1.5', 'now'],
  preview: ['true', 'false', 'TRUE', '1'],
  format: ['json', 'ndjson', 'csv', 'arrow', 'xml', 'JSON'],
  'dry-run': ['true', 'false', '1'],
  precision: ['s', 'ms', 'ns', 'h', 'fortnight'],
};
/** What stands for nothing good in a path or in a value, encoded and not. */
const ODD = (
  '%2e%2e %2F .. ../.. %00 %0a%0d %ff %c3%28 %ed%a0%80 %f4%90%80%80 %C0%AE%C0%AE %25 %2 % %zz %u0041 ; : @ & = + ' +
  '# ? // \\ %5c ~ $ | < > { } ^ ` \' " * , . %e2%80%ae %ef%bb%bf \xff \xc3\xa4 \x7f constructor __proto__ toString'
).split(' ');
const UNKNOWN_PATHS = (
  '/ /ui /ui/ /uI/overview /ui/overview.html /ui/overview /ui/overview/ /ui//overview /ui/./overview /ui/style.css ' +
  '/ui/../package.json /ui/../pages/style.css /ui/..%2f..%2fmain.js /ui/%2e%2e/page-routes.js /ui/vendor/ ' +
  '/ui/kit /ui/tsconfig.json /ui/explore.js.map /ui/vendor/../style.css /ui/icon.svg /ui/debug /ui/.%00 /ui/nodes%00.css ' +
  '/swagger /swagger/ /swagger/index.html /swagger/../ui/style.css /etc/passwd /../../../../etc/passwd //etc/passwd ' +
  '/file:///etc/passwd /config.json /api /api/ /api/v2 /api/v2/ /api/v3/query /favicon.ico /robots.txt /api/write/x ' +
  '/proc/self/environ /ping/ping /ping// /constructor /__proto__ /hasOwnProperty'
).split(' ');
const PAGES = '/ui/overview /ui/nodes /ui/explore /ui/debug /ui/style.css /ui/icon.svg'.split(' ');
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const ACCEPTS = [
  '',
  '',
  '',
  '*/*',
  'text/html',
  'application/json',
  'text/csv;q=0.5, */*;q=0',
  'x',
];

function cursorOf(key: unknown): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function word(random: Random): string {
  switch (random.below(6)) {
    case 0:
      return edgeOf(random);
    case 1:
      return random.pick(random.pick(Object.values(VALUES)));
    case 2:
      return 'x'.repeat(random.pick([0, 1, 129, 4000, 9000, 20_000]));
    default:
      return Array.from({ length: 1 + random.below(4) }, () => random.pick(ODD)).join('');
  }
}

function parametersOf(random: Random, names: readonly string[]): string {
  const parts = names
    .filter((name) => random.chance(name === 'limit' ? 0.6 : 0.3))
    .map((name) => {
      const known = VALUES[name] ?? [''];
      const some = random.chance(0.7) ? known.slice(0, GOOD_VALUES) : known;
      const value = random.chance(0.9) ? encodeURIComponent(random.pick(some)) : word(random);
      return random.chance(0.97)
        ? `${name}=${value}`
        : random.pick([name, `=${value}`, `${name}==`]);
    });
  if (random.chance(0.1)) parts.push(`${word(random)}=${word(random)}`);
  if (random.chance(0.05)) parts.push(random.pick(parts.length > 0 ? parts : ['&']));
  return parts.length > 0 || random.chance(0.05) ? `?${parts.join('&')}` : '';
}

function jsonOf(random: Random, depth = 0): unknown {
  switch (random.below(depth > 2 ? 5 : 7)) {
    case 0:
      return Number(edgeOf(random)) || 0;
    case 1:
      return random.pick([true, false, null, '', '\0', '\ud800', '__proto__']);
    case 2:
    case 3:
    case 4:
      return random.pick(['c', 'h0', 'hwthread0', 'load', 'probe', 'unseen', '*', '../x', '1h']);
    case 5:
      return Array.from({ length: random.below(4) }, () => jsonOf(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [
          random.pick([
            'main',
            'metrics',
            'metricshard',
            'limits',
            'load',
            'addr',
            '__proto__',
            '',
          ]),
          jsonOf(random, depth + 1),
        ]),
      );
  }
}

/** Settings of which a change is tried; whether it is made, the target decides. */
function settingsOf(random: Random): unknown {
  return {
    metrics: {
      load: {
        frequency: random.pick([60, 60, 10, 0, 1e9]),
        aggregation: random.pick(['avg', 'avg', 'sum', 'x']),
      },
    },
    metricshard: random.pick([
      { limits: { 'body-bytes-max': random.pick([1, 1e6, -1, 2 ** 53]) } },
      { shards: random.pick([2, 3, 0, 1e6]) },
      { 'http-adapter': 'x' },
      {},
      {},
      jsonOf(random),
    ]),
    ...(random.chance(0.2) ? { 'metric-store': jsonOf(random) } : {}),
  };
}

/** Routes that read a body, with one that is nearly right. */
const WITH_BODY: readonly ((random: Random) => [method: string, address: string, body: unknown])[] =
  [
    (random) => {
      const selector = (): unknown =>
        random.chance(0.8)
          ? [random.pick(['c', 'unseen']), random.pick(['h0', 'h1', 'x']), 'hwthread0'].slice(
              0,
              random.below(4),
            )
          : jsonOf(random);
      const selectors = Array.from({ length: random.below(3) }, selector);
      return ['POST', `/api/free${parametersOf(random, ['to', 'to', 'preview'])}`, selectors];
    },
    (random) => {
      const body: Record<string, unknown> = {
        cluster: 'c',
        nodes: ['h0', 'x'],
        'metric-names': ['load'],
      };
      if (random.chance(0.4)) body[random.pick(Object.keys(body))] = jsonOf(random);
      if (random.chance(0.1)) body['x'] = 1;
      return [random.pick(['GET', 'POST']), '/api/healthcheck', body];
    },
    (random) => {
      const address = `/api/v2/admin/config${parametersOf(random, ['dry-run'])}`;
      return [random.pick(['PUT', 'PATCH', 'DELETE', 'GET']), address, settingsOf(random)];
    },
    (random) => ['POST', `/api/v2/admin/reload${parametersOf(random, ['dry-run'])}`, null],
    (random) => {
      const body = { cluster: 'c', from: '-6h', select: { metric: 'load' } };
      return ['POST', `/api/v2/query${parametersOf(random, ['format', 'priority'])}`, body];
    },
    (random) => {
      const body = { cluster: 'c', from: 1, to: 60, queries: [{ metric: 'load', host: 'h0' }] };
      return [
        random.pick(['GET', 'POST']),
        `/api/query${parametersOf(random, ['priority'])}`,
        body,
      ];
    },
  ];

function addressOf(random: Random): string {
  const known = Object.keys(PARAMETERS);
  let path = random.pick(random.chance(0.3) ? UNKNOWN_PATHS : known);
  if (random.chance(0.1)) path = random.pick(PAGES);
  if (random.chance(0.3))
    path = random.pick(known.filter((one) => PARAMETERS[one]!.includes('limit')));
  const names = PARAMETERS[path] ?? ['to', 'seconds'];
  if (random.chance(0.1)) {
    const at = random.below(path.length + 1);
    path = path.slice(0, at) + word(random) + path.slice(at);
  }
  if (random.chance(0.05)) path += '/';
  if (random.chance(0.03)) path = path.replaceAll('/', random.pick(['%2f', '//', '\\', '/./']));
  return path + parametersOf(random, names);
}

export function generateAddress(random: Random): Buffer {
  const [method, address, body] = random.chance(0.35)
    ? random.pick(WITH_BODY)(random)
    : [
        random.chance(0.9) ? 'GET' : random.pick(METHODS),
        addressOf(random),
        random.chance(0.1) ? jsonOf(random) : undefined,
      ];
  const text = body === undefined || body === null ? '' : JSON.stringify(body);
  const bytes = Buffer.from(text).toString('latin1');
  return Buffer.from(`${method} ${address}\n${random.pick(ACCEPTS)}\n${bytes}`, 'latin1');
}

/** Parts of two put together, or bytes of the address alone changed, or of all. */
export function mutateAddress(random: Random, input: Buffer, other: Buffer): Buffer {
  if (random.chance(0.3)) return mutateBytes(random, input, other);
  const lines = input.toString('latin1').split('\n');
  const others = other.toString('latin1').split('\n');
  const [path = '', query = ''] = lines[0]!.split('?');
  const [otherPath = '', otherQuery = ''] = others[0]!.split('?');
  switch (random.below(4)) {
    case 0:
      lines[0] = `${path}?${otherQuery}`;
      break;
    case 1:
      lines[0] = `${otherPath}?${query}&${otherQuery}`;
      break;
    case 2:
      lines.splice(1, lines.length, ...others.slice(1));
      break;
    default: {
      const bytes = Buffer.from(lines[0]!, 'latin1');
      lines[0] = mutateBytes(random, bytes, Buffer.from(others[0]!, 'latin1')).toString('latin1');
    }
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}

/**
 * Reads an input whatever became of it. A lone carriage return would have one of the parsers wait for more:
 * that is for those who fuzz sockets.
 */
export function readAddress(input: Buffer): AddressInput {
  const [first = '', accept = ''] = input.toString('latin1').split('\n', 2);
  const line = first.replaceAll('\r', '');
  const body = input.subarray(Math.min(input.length, first.length + accept.length + 2));
  const [, method = '', address = ''] = /^(\S*) ?(.*)$/s.exec(line)!;
  const isMethod = METHODS.includes(method);
  return {
    method: isMethod ? method : 'GET',
    address: address.startsWith('/') ? address : `/${address}`,
    accept: accept.replaceAll(/[^\x21-\x7e ]/g, ''),
    body,
  };
}
