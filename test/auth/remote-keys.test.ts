import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { TokenError } from '../../src/auth/token-error.js';
import { TokenVerifier } from '../../src/auth/token-verifier.js';
import { AUTH_DEFAULTS } from '../../src/config/auth-config.js';
import type { KeyTimes } from '../../src/auth/key-ring.js';
import { ed25519, jwk, sign } from './tokens.js';

const limits = { tokensCachedMax: 100, tokenBytesMax: 4096 };
const LONG_MS = 60_000;

interface KeyServer {
  readonly url: string;
  /** How it answers; may never do so. */
  answer: (response: ServerResponse) => void;
  asked: number;
}

async function startKeyServer(t: Test): Promise<KeyServer> {
  const server = createServer((_request, response) => {
    state.asked++;
    state.answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const state = {
    url: `http://127.0.0.1:${port}/keys`,
    answer: (response: ServerResponse): void => void response.writeHead(500).end(),
    asked: 0,
  };
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return state;
}

function keys(...all: object[]): (response: ServerResponse) => void {
  return (response) => response.end(JSON.stringify({ keys: all }));
}

function makeVerifier(
  t: Test,
  url: string,
  times: KeyTimes,
): { verifier: TokenVerifier; warnings: string[] } {
  const warnings: string[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (fields: object, message: string) => warnings.push(message + JSON.stringify(fields)),
    error: () => undefined,
  };
  const all = { cooldownMs: 0, timeoutMs: 5000, refreshMs: LONG_MS, ...times };
  const verifier = new TokenVerifier(
    { ...AUTH_DEFAULTS, jwksUrl: url },
    { limits, log, times: all },
  );
  t.teardown(() => verifier.stop());
  return { verifier, warnings };
}

/** Why a token is refused, or cannot be judged; '' = it is taken. */
async function refusal(verifier: TokenVerifier, token: string): Promise<string> {
  try {
    await verifier.verify(token);
  } catch (error) {
    if (error instanceof TokenError) return error.reason;
    return (error as { code: string }).code;
  }
  return '';
}

t.test('rotation: a key that is new is asked for', async (t) => {
  const [old, next] = [ed25519(), ed25519()];
  const server = await startKeyServer(t);
  server.answer = keys(jwk(old, { kid: 'old' }));
  const { verifier } = makeVerifier(t, server.url, {});
  const oldToken = await sign(old, {}, { kid: 'old' });
  const nextToken = await sign(next, {}, { kid: 'next' });
  t.equal(await refusal(verifier, oldToken), '', 'the first question is waited for');
  t.equal(server.asked, 1);
  t.equal(await refusal(verifier, nextToken), 'unknown-key');
  server.answer = keys(jwk(old, { kid: 'old' }), jwk(next, { kid: 'next' }));
  t.equal(await refusal(verifier, nextToken), '');
  t.equal(await refusal(verifier, oldToken), '');
  server.answer = keys(jwk(next, { kid: 'next' }));
  t.equal(await refusal(verifier, await sign(ed25519(), {}, { kid: 'x' })), 'unknown-key');
  t.equal(await refusal(verifier, oldToken), 'unknown-key', 'withdrawn, though it was known');
});

t.test('a key without an id is replaced by another', async (t) => {
  const [old, next] = [ed25519(), ed25519()];
  const server = await startKeyServer(t);
  server.answer = keys(jwk(old));
  const { verifier } = makeVerifier(t, server.url, {});
  t.equal(await refusal(verifier, await sign(old)), '');
  server.answer = keys(jwk(next));
  t.equal(await refusal(verifier, await sign(next)), '');
});

t.test('nobody has the server asked more often by sending tokens', async (t) => {
  const server = await startKeyServer(t);
  server.answer = keys(jwk(ed25519(), { kid: 'a' }));
  const { verifier } = makeVerifier(t, server.url, { cooldownMs: LONG_MS });
  const strangers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => sign(ed25519(), {}, { kid: `x${n}` })),
  );
  const refusals = await Promise.all(strangers.map((token) => refusal(verifier, token)));
  t.same(new Set(refusals), new Set(['unknown-key']));
  for (const token of strangers) await refusal(verifier, token);
  t.equal(server.asked, 1);
});

t.test('keys are asked for from time to time, so that one that is withdrawn goes', async (t) => {
  const old = ed25519();
  const server = await startKeyServer(t);
  server.answer = keys(jwk(old));
  const { verifier } = makeVerifier(t, server.url, { refreshMs: 20, cooldownMs: LONG_MS });
  const token = await sign(old);
  t.equal(await refusal(verifier, token), '');
  server.answer = keys(jwk(ed25519()));
  let reason = '';
  for (let tries = 0; tries < 400 && reason === ''; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    reason = await refusal(verifier, token);
  }
  t.equal(reason, 'signature');
});

t.test('another configuration with the same server keeps its keys', async (t) => {
  const pair = ed25519();
  const server = await startKeyServer(t);
  server.answer = keys(jwk(pair));
  const { verifier } = makeVerifier(t, server.url, { timeoutMs: 300 });
  t.equal(await refusal(verifier, await sign(pair)), '');
  server.answer = (response) => response.writeHead(503).end();
  const config = { ...AUTH_DEFAULTS, jwksUrl: server.url, roles: { mine: ['query'] as const } };
  verifier.configure(config);
  const identity = await verifier.verify(await sign(pair, { roles: ['mine'] }));
  t.same([...identity.grants.keys()], ['query'], 'the new roles, with the keys from before');
  verifier.configure({ ...config, jwksUrl: `${server.url}/other` });
  t.equal(await refusal(verifier, await sign(pair)), 'keys-unavailable', 'another server');
});

const FAILURES: readonly [title: string, answer: KeyServer['answer'], problem: RegExp][] = [
  ['an error', (response) => response.writeHead(503).end('{}'), /answered 503/],
  ['silence', () => undefined, /timeout|aborted/i],
  ['a page', (response) => response.end('<html>'), /not JSON/],
  ['another document', (response) => response.end('{"issuer":"x"}'), /no list "keys"/],
  ['no key', keys({ kty: 'oct', k: 'c2VjcmV0' }), /no key for EdDSA/],
  ['far too many keys', keys(...Array.from({ length: 257 }, () => ({}))), /more than 256/],
  ['a flood', (response) => response.end('x'.repeat(2 * 1024 * 1024)), /larger than 1048576/],
  [
    'a redirection',
    (response) => response.writeHead(302, { Location: '/other' }).end(),
    /redirect/i,
  ],
  [
    'half an answer',
    (response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('{"keys"', () => response.destroy());
    },
    /terminated|closed|fetch failed/i,
  ],
];

t.test('while keys cannot be had, the last good ones hold', async (t) => {
  const pair = ed25519();
  for (const [title, fail, problem] of FAILURES) {
    const server = await startKeyServer(t);
    const { verifier, warnings } = makeVerifier(t, server.url, { timeoutMs: 300 });
    server.answer = fail;
    const stranger = await sign(ed25519(), {}, { kid: 'x' });
    // The first question had been answered 500; its answer may be on the way.
    let code = await refusal(verifier, stranger);
    t.equal(code, 'keys-unavailable', `${title}: no token can be judged`);
    t.not(verifier.status().keys[0]!.problem, '', title);
    server.answer = keys(jwk(pair, { kid: 'a' }));
    t.equal(await refusal(verifier, await sign(pair)), '', `${title}: it is back`);
    t.equal(verifier.status().keys[0]!.problem, '');
    server.answer = fail;
    code = await refusal(verifier, stranger);
    t.equal(code, 'unknown-key', title);
    t.match(verifier.status().keys[0]!.problem, problem, title);
    t.equal(await refusal(verifier, await sign(pair, { again: true })), '', `${title}: keys hold`);
    t.ok(warnings.length >= 1 && warnings.length <= 3, `${title}: told, but not each time`);
  }
});
