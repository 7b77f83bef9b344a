import { fileURLToPath } from 'node:url';
import { chooseEncoding } from '../http/accept-encoding.js';
import { answerError } from '../http/answers.js';
import { isNotModified } from '../http/etag.js';
import { metricFamily } from '../http/metric-family.js';
import type { ProgramPart } from '../http/program-part.js';
import type { Route } from '../http/route.js';
import type { Headers, HttpExchange } from '../http/server.js';
import { StoreError } from '../model/errors.js';
import { PAGES_FOLDER } from '../places.js';
import { PageCache, type PageContent } from './page-cache.js';
import { listPages, type PageFile } from './page-list.js';

const FOLDER = fileURLToPath(PAGES_FOLDER);
const LABEL = '/ui';
const START_PAGE = '/ui/overview';
const PACKED_TYPES = /^(text|application\/json|image\/svg)/;
/**
 * What browsers are told of pages: they load what is ours alone, run no script that stands in their
 * text, are shown in no frame, and tell no other site where they are.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');
const PAGE_HEADERS: Headers = [
  ['Content-Security-Policy', POLICY],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
];

type Routes = Readonly<Record<string, Route>>;

/** Pages for browsers: paths of all files of a folder, as found at the start. */
export function pagesPart(folder = FOLDER, cache = new PageCache()): ProgramPart {
  const files = listPages(folder);
  const kept = 'Bytes of pages that are kept as they are sent.';
  return {
    name: 'pages',
    status: () => ({ files: files.length, bytesKept: cache.bytes }),
    metrics: () => metricFamily('page_bytes_kept', 'gauge', kept, cache.bytes),
    routes: routesOf(files, cache),
  };
}

/** What a request names is looked for among these paths only: it never becomes the path of a file. */
function routesOf(files: readonly PageFile[], cache: PageCache): Routes {
  const routes: Record<string, Route> = {};
  for (const file of files) {
    const route = pageRoute((exchange) => answerFile(exchange, file, cache));
    routes[pathOf(file)] = route;
    if (file.name === 'swagger.html') routes['/swagger'] = routes['/swagger/index.html'] = route;
  }
  if (!routes[START_PAGE]) return routes;
  return { ...routes, '/': pageRoute(answerRoot), '/ui': pageRoute(redirect) };
}

/** Browsers are led to the pages; for all others there is nothing, as in the reference. */
function answerRoot(exchange: HttpExchange): void {
  if (exchange.header('accept').includes('text/html')) redirect(exchange);
  else {
    const what = `there is nothing at /; pages for browsers are at ${START_PAGE}`;
    throw new StoreError('not-found', what);
  }
}

function redirect(exchange: HttpExchange): void {
  exchange.respond(302, [['Location', START_PAGE], ...PAGE_HEADERS], '');
}

function pageRoute(run: Route['run']): Route {
  return { methods: ['GET'], permission: 'query', label: LABEL, run };
}

/** Pages are without their ending: `/ui/overview`. */
function pathOf({ name }: PageFile): string {
  const isPage = name.endsWith('.html') && !name.includes('/');
  return `/ui/${isPage ? name.slice(0, -'.html'.length) : name}`;
}

function answerFile(exchange: HttpExchange, file: PageFile, cache: PageCache): void {
  const mayPack = PACKED_TYPES.test(file.contentType);
  const encoding = mayPack ? chooseEncoding(exchange.header('accept-encoding'), true) : '';
  const content = cache.get(file, encoding);
  const headers: Headers = [
    ...PAGE_HEADERS,
    ['Cache-Control', 'no-cache'],
    ...(mayPack ? [['Vary', 'Accept-Encoding'] as const] : []),
    ...(encoding === '' ? [] : [['Content-Encoding', encoding] as const]),
  ];
  if (!(content instanceof Promise)) answerContent(exchange, file, content, headers);
  else {
    content.then(
      (read) => exchange.guard(() => answerContent(exchange, file, read, headers)),
      (error: NodeJS.ErrnoException) => answerError(exchange, unreadable(file, error)),
    );
  }
}

function answerContent(
  exchange: HttpExchange,
  { contentType }: PageFile,
  { etag, bytes }: PageContent,
  headers: Headers,
): void {
  const tagged: Headers = [...headers, ['ETag', etag]];
  if (isNotModified(exchange, etag)) exchange.respond(304, tagged, '');
  else exchange.respond(200, [['Content-Type', contentType], ...tagged], bytes);
}

function unreadable({ name }: PageFile, { code = 'unknown' }: NodeJS.ErrnoException): StoreError {
  const what = `the file "${name}" of the pages cannot be read (${code}); restart the store`;
  return new StoreError('internal', what);
}
