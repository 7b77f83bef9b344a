import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { askBackend, placeOf } from '../../src/backend/ask-backend.js';
import { BACKEND_DEFAULTS, type BackendConfig } from '../../src/config/backend-config.js';
import { json, startBackend, status } from './fake-backend.js';

const SECRET = 'geheim';

t.test('what it answers', async (t) => {
  const backend = await startBackend(t);
  const config = { ...BACKEND_DEFAULTS, url: `${backend.url}/cc/`, token: SECRET };
  backend.answer = json({ a: 1 });
  t.same(await askBackend(config, '/api/x?ts=1'), { a: 1 });
  t.same(backend.asked, [{ path: '/cc/api/x?ts=1', authorization: `Bearer ${SECRET}` }]);
  await askBackend({ ...config, token: '' }, '/api/x');
  t.equal(backend.asked.at(-1)!.authorization, undefined);
});

t.test('the token is read from its file each time', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-backend-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const backend = await startBackend(t);
  const tokenFile = join(folder, 'token');
  const config = { ...BACKEND_DEFAULTS, url: backend.url, tokenFile };
  await t.rejects(askBackend(config, '/'), /token-file .*token can not be read \(ENOENT\)/);
  for (const token of ['one', 'two']) {
    writeFileSync(tokenFile, `${token}\n`);
    await askBackend(config, '/');
    t.equal(backend.asked.at(-1)!.authorization, `Bearer ${token}`);
  }
  writeFileSync(tokenFile, `${SECRET}\n${SECRET}\n`);
  await refused(t, config, /token is no token: it has blanks, line ends/);
});

/** It says why, and no secret. */
async function refused(t: Test, config: BackendConfig, why: RegExp): Promise<void> {
  const error: Error = await askBackend(config, '/').then(
    () => new Error('it was answered'),
    (reason: Error) => reason,
  );
  t.match(error.message, why);
  t.notMatch(error.message, SECRET);
}

t.test('what is no answer', async (t) => {
  const backend = await startBackend(t);
  const config = { ...BACKEND_DEFAULTS, url: backend.url, token: SECRET, answerBytesMax: 2000 };
  backend.answer = status(401);
  await refused(t, config, /it answered 401: the token is missing or not good/);
  backend.answer = status(500);
  await refused(t, config, /^it answered 500$/);
  backend.answer = status(302, { Location: `http://u:${SECRET}@127.0.0.1:1/login?x=${SECRET}` });
  await refused(t, config, /it answered 302 and sends to http:\/\/127\.0\.0\.1:1\/login$/);
  backend.answer = (_, response) => response.end('<html>');
  await refused(t, config, /its answer of 6 characters is not JSON/);
  backend.answer = (_, response) => response.end('');
  await refused(t, config, /is not JSON/);
  backend.answer = (_, response) => response.end('"'.padEnd(2001, 'x'));
  await refused(t, config, /larger than answer-bytes-max, 2000/);
  backend.answer = (request) => request.socket.destroy();
  await refused(t, config, /fetch failed: /);
  const url = backend.url.replace('//', `//u:${SECRET}@`);
  await refused(t, { ...config, url }, /holds a name or password/);
  t.equal(placeOf(url), backend.url);
});

t.test('an endless answer ends', async (t) => {
  const backend = await startBackend(t);
  const config = { ...BACKEND_DEFAULTS, url: backend.url, timeoutSec: 1, answerBytesMax: 1e6 };
  backend.answer = (_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(1e4)));
    };
    response.on('drain', more);
    more();
  };
  await refused(t, { ...config, timeoutSec: 60 }, /larger than answer-bytes-max, 1000000/);
  backend.answer = () => undefined;
  await refused(t, config, /no whole answer within 1 s/);
  // Headers and a beginning, then nothing.
  backend.answer = (_, response) => response.write('{');
  await refused(t, config, /no whole answer within 1 s/);
});
