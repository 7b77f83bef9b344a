import t, { type Test } from 'tap';
import { Callers, type CallersOptions } from '../../src/auth/callers.js';
import { ANYONE, type Identity } from '../../src/auth/identity.js';
import { makePasswordHash } from '../../src/auth/password-hash.js';
import { TokenError } from '../../src/auth/token-error.js';
import { TokenVerifier } from '../../src/auth/token-verifier.js';
import { AUTH_DEFAULTS, type AuthConfig } from '../../src/config/auth-config.js';
import { DEFAULTS } from '../../src/config/config.js';
import { StoreError } from '../../src/model/errors.js';
import { ed25519, rawKey, sign } from './tokens.js';

const pair = ed25519();
const quiet = (): void => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const cost = { costBits: 10, blockSize: 8, parallelization: 1 };
const password = await makePasswordHash('right', cost);
const USERS: AuthConfig['users'] = {
  anna: { password, roles: ['ROLE_ADMIN'], clusters: undefined },
  'berta.b': { password, roles: ['ROLE_SUPPORT'], clusters: ['alex'] },
};

function make(
  t: Test,
  given: Partial<AuthConfig> = {},
  limits: Partial<CallersOptions['limits']> = {},
) {
  const config = { ...AUTH_DEFAULTS, users: USERS, ...given };
  const all = { ...DEFAULTS.limits, ...limits };
  const verifier = new TokenVerifier(config, { limits: all, log });
  t.teardown(() => verifier.stop());
  const clock = { ms: 1000 };
  const callers = new Callers(verifier, config, { limits: all, log, now: () => clock.ms });
  const verify = (credentials: { token: string; basic: string }, remoteAddress = '10.1.1.1') =>
    callers.verify(credentials, { peer: { remoteAddress } });
  /** The identity, or the reason or status of the refusal. */
  const outcome = async (
    credentials: { token: string; basic: string },
    address?: string,
  ): Promise<Identity | string | number> => {
    try {
      return await verify(credentials, address);
    } catch (error) {
      if (error instanceof TokenError) return error.reason;
      if (error instanceof StoreError) return error.status;
      throw error;
    }
  };
  return { callers, config, clock, verify, outcome };
}

const basic = (name: string, secret: string) => ({
  token: secret,
  basic: Buffer.from(`${name}:${secret}`).toString('base64'),
});
const bearer = (token: string) => ({ token, basic: '' });

t.test('names and passwords', async (t) => {
  const { callers, verify, outcome } = make(t);
  t.ok(callers.isRequired);
  for (const title of ['', 'known']) {
    t.match(await outcome(basic('anna', 'right')), { name: 'anna' }, title);
    const berta = (await outcome(basic('berta.b', 'right'))) as Identity;
    t.same([...berta.grants], [['query', new Set(['alex'])]], title);
  }
  t.match(callers.status().users, { count: 2, cached: 2, checks: 2 });
  t.notOk(verify(basic('anna', 'right')) instanceof Promise, 'who is known does not wait');
  const wrong: [name: string, secret: string][] = [
    ['anna', 'Right'],
    ['anna', 'right '],
    ['Anna', 'right'],
    ['nobody', 'right'],
    ['', 'right'],
    ['__proto__', 'right'],
    ['anna', 'a.b.c'],
    ['nobody', 'a.b.c'],
  ];
  for (const [name, secret] of wrong) {
    t.equal(await outcome(basic(name, secret)), 'password', `${name}:${secret}`);
  }
  t.match(callers.status().users, { cached: 2, checks: 2 + wrong.length }, 'each was checked');
  t.equal(
    await outcome({ token: 'x', basic: Buffer.from('no colon').toString('base64') }),
    'password',
  );
  t.equal(await outcome(bearer(await sign(pair, {}))), 'unknown-key', 'no key for tokens');
  t.equal(await outcome(basic('anna', 'x'.repeat(8193))), 'oversized');
  t.match(callers.status().refused, { password: wrong.length + 1, 'unknown-key': 1, oversized: 1 });
});

t.test('without users and keys nobody is asked', (t) => {
  const { callers, verify } = make(t, { users: {} });
  t.notOk(callers.isRequired);
  t.equal(verify(basic('anna', 'wrong')), ANYONE);
  t.equal(verify(bearer('')), ANYONE);
  t.end();
});

t.test('tokens beside users', async (t) => {
  const { callers, outcome, verify } = make(t, { publicKey: rawKey(pair) });
  const token = await sign(pair, { sub: 'carla', roles: ['ROLE_USER'] });
  for (const title of ['', 'known']) {
    t.match(await outcome(bearer(token)), { name: 'carla' }, title);
    t.match(await outcome(basic('anyone', token)), { name: 'carla' }, title);
    t.match(await outcome(basic('anna', 'right')), { name: 'anna' }, title);
  }
  t.notOk(verify(basic('anyone', token)) instanceof Promise);
  t.equal(callers.status().users.checks, 1);
  t.equal(await outcome(basic('anna', token)), 'password', 'not with the name of a user');
  const past = await sign(pair, { sub: 'carla', exp: 1 });
  t.equal(await outcome(bearer(past)), 'expired');
  t.equal(await outcome(basic('anyone', past)), 'password', 'it tells nothing about names');
  t.equal(callers.status().users.checks, 3, 'and takes as long');
});

t.test('an address that guesses', async (t) => {
  const limits = { failedLoginsMax: 3, lockOutSec: 60 };
  const { callers, clock, outcome } = make(t, { publicKey: rawKey(pair) }, limits);
  const token = await sign(pair, { sub: 'carla' });
  const past = await sign(pair, { exp: 1 });
  t.match(await outcome(basic('anna', 'right')), { name: 'anna' });
  for (const guess of ['1', '2', '3']) t.equal(await outcome(basic('anna', guess)), 'password');
  const { checks } = callers.status().users;
  for (const [name, secret] of [
    ['anna', '4'],
    ['anna', 'right'],
    ['nobody', 'x'],
  ] as const) {
    t.equal(await outcome(basic(name, secret)), 429, `${name}:${secret}`);
  }
  t.equal(callers.status().users.checks, checks, 'not looked at');
  t.match(await outcome(basic('anna', 'right'), '10.1.1.2'), { name: 'anna' }, 'from elsewhere');
  t.match(await outcome(bearer(token)), { name: 'carla' }, 'right tokens are taken');
  t.match(await outcome(basic('anyone', token)), { name: 'carla' });
  for (const guess of [1, 2, 3]) t.equal(await outcome(bearer(past)), 'expired', String(guess));
  t.equal(await outcome(bearer(past)), 429, 'wrong ones are not');
  t.match(await outcome(bearer(token)), { name: 'carla' });
  t.equal(await outcome(basic('anna', 'right')), 429, 'nor did that change anything');
  t.match(callers.status().lockOuts, { addresses: 2, lockOuts: 2, refused: 5 });
  clock.ms += 60_000;
  t.match(await outcome(basic('anna', 'right')), { name: 'anna' });
  t.equal(await outcome(bearer(past)), 'expired');
});

t.test('many guesses at one time', async (t) => {
  const { callers, outcome } = make(t, {}, { failedLoginsMax: 3 });
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, (_, i) => outcome(basic('anna', i === 33 ? 'right' : String(i)))),
  );
  const count = (what: unknown): number => outcomes.filter((one) => one === what).length;
  t.equal(count(503), 60 - 34, 'two are checked, and 32 wait');
  t.equal(count('password'), 3, 'the limit holds for those that wait');
  t.equal(count(429), 31, 'also for the right one');
  t.equal(callers.status().users.cached, 0);
});

t.test('a burst of one browser is checked once', async (t) => {
  const { callers, outcome } = make(t, {}, { failedLoginsMax: 3 });
  const burst = (secret: string) =>
    Promise.all(Array.from({ length: 100 }, () => outcome(basic('anna', secret))));
  t.equal((await burst('right')).filter((one) => (one as Identity).name === 'anna').length, 100);
  t.equal((await burst('wrong')).filter((one) => one === 'password').length, 100);
  t.equal(callers.status().users.checks, 2);
  t.match(callers.status().lockOuts, { addresses: 1, lockOuts: 0 }, 'and counted once');
});

t.test('a wrong token that comes again while the first is answered', async (t) => {
  const slow = await makePasswordHash('right', { ...cost, costBits: 15 });
  const users = { anna: { password: slow, roles: ['ROLE_ADMIN'], clusters: undefined } };
  const { callers, outcome } = make(t, { publicKey: rawKey(pair), users });
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  t.teardown(() => process.off('unhandledRejection', note));
  const asked: Promise<unknown>[] = [];
  // The token is refused at once, the answer is as late as that to a password.
  for (let turn = 0; turn < 40; turn++) {
    asked.push(outcome(basic('nobody', 'no.token.atall')));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  t.same(new Set(await Promise.all(asked)), new Set(['password']));
  t.same(unhandled, [], 'each failure is somebody’s');
  t.ok(callers.status().users.checks < asked.length, 'the first one answers for those behind it');
});

t.test('what is known is bounded, and ends', async (t) => {
  const { callers, config, clock, outcome, verify } = make(t, {}, { tokensCachedMax: 1 });
  await outcome(basic('anna', 'right'));
  await outcome(basic('berta.b', 'right'));
  t.match(callers.status().users, { cached: 1, checks: 2 });
  t.notOk(verify(basic('berta.b', 'right')) instanceof Promise);
  clock.ms += 3_600_000;
  t.match(await outcome(basic('berta.b', 'right')), { name: 'berta.b' });
  t.match(callers.status().users, { checks: 3 });

  const other = await makePasswordHash('other', cost);
  callers.configure({ ...config, users: { anna: { ...USERS['anna']!, password: other } } });
  t.equal(await outcome(basic('berta.b', 'right')), 'password', 'gone');
  t.equal(await outcome(basic('anna', 'right')), 'password');
  t.match(await outcome(basic('anna', 'other')), { name: 'anna' });
  const pending = outcome(basic('anna', 'right'));
  callers.configure(config);
  await pending;
  t.match(await outcome(basic('anna', 'right')), { name: 'anna' });
  callers.configure({ ...config, users: {} });
  t.equal(await outcome(basic('anna', 'wrong')), ANYONE);
});
