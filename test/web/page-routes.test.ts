import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { decompress } from 'zstd-napi';
import { AUTH_DEFAULTS } from '../../src/config/auth-config.js';
import { DEFAULTS } from '../../src/config/config.js';
import { Callers } from '../../src/auth/callers.js';
import { TokenVerifier } from '../../src/auth/token-verifier.js';
import { AuthGate } from '../../src/http/auth-gate.js';
import type { Gate } from '../../src/http/gate.js';
import { makeHandler } from '../../src/http/handler.js';
import { newTraffic } from '../../src/http/server.js';
import { FILES_MAX, listPages } from '../../src/web/page-list.js';
import { PageCache } from '../../src/web/page-cache.js';
import { pagesPart } from '../../src/web/page-routes.js';
import { ed25519, rawKey, sign } from '../auth/tokens.js';
import { FakeStore } from '../http/fake-store.js';
import { eachAdapter, OPEN_GATE, type Front, type StartFront } from '../http/front.js';

const SCRIPT = `'use strict';\n${'export const a = 1;\n'.repeat(5000)}`;
const HTML = '<!doctype html><title>Overview</title>';

/** A folder of pages, and what must not be served of it. */
function makeFolder(t: Test): string {
  const outside = join(t.testdir({ pages: {}, 'secret.js': 'secret' }));
  const folder = join(outside, 'pages');
  mkdirSync(join(folder, 'vendor'));
  const files = {
    'overview.html': HTML,
    'nodes.html': HTML,
    'swagger.html': '<title>Swagger</title>',
    'overview.js': SCRIPT,
    'style.css': 'body { color: red }',
    'icon.png': 'no picture',
    'vendor/plot.min.js': 'plot',
    'vendor/frame.html': 'frame',
    'overview.js.map': 'map',
    'overview.d.ts': 'types',
    '.hidden.js': 'hidden',
    'with blank.js': 'blank',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  symlinkSync(join(outside, 'secret.js'), join(folder, 'link.js'));
  return folder;
}

async function startPages(
  start: StartFront,
  folder: string,
  { cache, gate = OPEN_GATE }: { cache?: PageCache; gate?: Gate } = {},
): Promise<Front> {
  const parts = [pagesPart(folder, cache)];
  const { limits } = DEFAULTS;
  const store = new FakeStore();
  return start({}, makeHandler({ store, limits, traffic: newTraffic(), gate, parts }));
}

t.test('the files of a folder', (t) => {
  const folder = makeFolder(t);
  const names = listPages(folder).map(({ name }) => name);
  t.same(names.toSorted(), [
    'icon.png',
    'nodes.html',
    'overview.html',
    'overview.js',
    'style.css',
    'swagger.html',
    'vendor/frame.html',
    'vendor/plot.min.js',
  ]);
  t.same(listPages(join(folder, 'nothing')), []);
  const many = t.testdir(
    Object.fromEntries(Array.from({ length: FILES_MAX + 1 }, (_, i) => [`${i}.js`, ''])),
  );
  t.throws(() => listPages(many), /more than 1000 files/);
  t.same(pagesPart(join(folder, 'nothing')).routes, {}, 'no folder, no paths');
  t.end();
});

eachAdapter('pages and their files', async (t, start) => {
  const front = await startPages(start, makeFolder(t));
  const check = async (path: string, type: string, text: string): Promise<void> => {
    for (const target of [path, path, `${path}/`]) {
      const answer = await front.send(target);
      t.equal(answer.status, 200, target);
      t.equal(answer.headers['content-type'], type, target);
      t.equal(answer.text, text, target);
    }
  };
  await check('/ui/overview', 'text/html; charset=utf-8', HTML);
  await check('/ui/nodes', 'text/html; charset=utf-8', HTML);
  await check('/ui/overview.js', 'text/javascript; charset=utf-8', SCRIPT);
  await check('/ui/style.css', 'text/css; charset=utf-8', 'body { color: red }');
  await check('/ui/icon.png', 'image/png', 'no picture');
  await check('/ui/vendor/plot.min.js', 'text/javascript; charset=utf-8', 'plot');
  await check('/ui/vendor/frame.html', 'text/html; charset=utf-8', 'frame');
  for (const path of ['/swagger', '/swagger/index.html', '/ui/swagger']) {
    await check(path, 'text/html; charset=utf-8', '<title>Swagger</title>');
  }
  const accept = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
  t.equal((await front.send('/')).status, 404, 'as the reference: who is no browser finds nothing');
  for (const path of ['/', '/ui', '/ui/']) {
    const answer = await front.send(path, { headers: accept });
    t.same([answer.status, answer.headers.location], [302, '/ui/overview'], path);
    t.match(answer.headers['content-security-policy'], /default-src 'none'/);
  }
  const { headers } = await front.send('/ui/overview');
  t.match(headers, {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
      "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-cache',
    vary: 'Accept-Encoding',
  });
  const metrics = await front.send('/metrics');
  t.match(metrics.text, 'path="/ui",status="200"');
  t.notMatch(metrics.text, 'path="/ui/overview.js"', 'one label for all');
  t.match(metrics.text, /^metricshard_page_bytes_kept [1-9]/m);
});

eachAdapter('what is not there', async (t, start) => {
  const front = await startPages(start, makeFolder(t));
  for (const path of [
    '/ui/overview.html',
    '/ui/link.js',
    '/ui/overview.js.map',
    '/ui/overview.d.ts',
    '/ui/.hidden.js',
    '/ui/with%20blank.js',
    '/ui/../pages/overview.js',
    '/ui/../../secret.js',
    '/ui/%2e%2e/secret.js',
    '/ui/..%2fsecret.js',
    '/ui/..%5csecret.js',
    '/ui/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/ui//overview.js',
    '/ui/vendor',
    '/ui/overview.js%00.png',
    '//ui/overview',
    '/UI/overview',
    '/ui/__proto__',
    '/ui/constructor',
  ]) {
    const answer = await front.send(path);
    t.equal(answer.status, 404, path);
    t.match(answer.json.error, '/api/query');
    t.notMatch(answer.json.error, '/swagger', 'pages are not listed');
  }
  for (const method of ['POST', 'HEAD', 'PUT']) {
    t.equal((await front.send('/ui/overview', { method })).status, 405, method);
  }
});

eachAdapter('packed, and not twice', async (t, start) => {
  const front = await startPages(start, makeFolder(t));
  const plain = await front.send('/ui/overview.js');
  const { etag } = plain.headers;
  t.match(etag, /^W\/"[\w-]{27}"$/);
  const unpack = { br: brotliDecompressSync, gzip: gunzipSync, zstd: decompress };
  for (const [encoding, work] of Object.entries(unpack)) {
    for (const title of ['packed', 'kept']) {
      const answer = await front.send('/ui/overview.js', {
        headers: { 'Accept-Encoding': encoding },
      });
      t.equal(answer.headers['content-encoding'], encoding, title);
      t.ok(answer.bytes.length < SCRIPT.length / 10);
      t.equal(work(answer.bytes).toString(), SCRIPT);
      t.equal(answer.headers.etag, etag, 'of the content, not of its form');
    }
  }
  const picture = await front.send('/ui/icon.png', { headers: { 'Accept-Encoding': 'br' } });
  t.equal(picture.headers['content-encoding'], undefined);
  for (const tag of [etag!, '*', `"x", ${etag}`]) {
    const answer = await front.send('/ui/overview.js', { headers: { 'If-None-Match': tag } });
    t.same([answer.status, answer.text, answer.headers.etag], [304, '', etag], tag);
    t.match(answer.headers['content-security-policy'], /default-src 'none'/);
  }
  const other = await front.send('/ui/overview', { headers: { 'If-None-Match': etag! } });
  t.equal(other.status, 200);
});

eachAdapter('what is kept is bounded', async (t, start) => {
  const folder = makeFolder(t);
  const cache = new PageCache(200);
  const front = await startPages(start, folder, { cache });
  const many = Array.from({ length: 20 }, () => front.send('/ui/overview.js'));
  for (const { text } of await Promise.all(many)) t.equal(text, SCRIPT);
  t.equal(cache.bytes, 0, 'larger than all that may be kept');
  for (const path of ['/ui/overview', '/ui/nodes', '/ui/swagger', '/ui/style.css']) {
    for (const encoding of ['', 'gzip', 'br']) {
      const answer = await front.send(path, { headers: { 'Accept-Encoding': encoding } });
      t.equal(answer.status, 200);
      t.ok(cache.bytes > 0 && cache.bytes <= 200, `${cache.bytes} bytes`);
    }
  }
  writeFileSync(join(folder, 'overview.js'), 'new');
  t.equal((await front.send('/ui/overview.js')).text, 'new', 'read again');
  rmSync(join(folder, 'icon.png'));
  const gone = await front.send('/ui/icon.png');
  t.equal(gone.status, 500);
  t.match(gone.json.error, '"icon.png" of the pages cannot be read (ENOENT)');
});

eachAdapter('pages ask who comes', async (t, start) => {
  const pair = ed25519();
  const config = { ...AUTH_DEFAULTS, publicKey: rawKey(pair) };
  const quiet = (): void => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const verifier = new TokenVerifier(config, { limits: DEFAULTS.limits, log });
  t.teardown(() => verifier.stop());
  const callers = new Callers(verifier, config, { limits: DEFAULTS.limits, log });
  const gate = new AuthGate(callers, DEFAULTS.limits);
  const front = await startPages(start, makeFolder(t), { gate });
  const poor = await sign(pair, { roles: ['ROLE_USER'] });
  const right = await sign(pair, { roles: ['ROLE_SUPPORT'] });
  const basic = (token: string): Record<string, string> => ({
    Authorization: `Basic ${Buffer.from(`any:${token}`).toString('base64')}`,
  });
  for (const path of ['/', '/ui/overview', '/ui/style.css', '/swagger']) {
    t.equal((await front.send(path)).status, 401, path);
    t.equal((await front.send(path, { headers: basic(poor) })).status, 403, path);
    t.equal((await front.send(path, { headers: basic(right) })).status, path === '/' ? 404 : 200);
  }
});
