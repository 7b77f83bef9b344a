import t from 'tap';
import { LockedOutError, LockOuts, networkOf } from '../../src/auth/lock-outs.js';

function make(failedLoginsMax = 3, lockOutSec = 60, callersMax = 100) {
  const limits = { failedLoginsMax, lockOutSec, callersMax };
  const clock = { ms: 5000 };
  const told: string[] = [];
  const log = {
    warn: (fields: object, text: string) => told.push(`${JSON.stringify(fields)} ${text}`),
  };
  const lockOuts = new LockOuts(limits, log, () => clock.ms);
  /** Seconds that an address has to wait; 0 = it has not. */
  const waitSec = (address: string, kind: 'password' | 'token' = 'password'): number => {
    try {
      lockOuts.check(kind, address);
      return 0;
    } catch (error) {
      t.type(error, LockedOutError);
      return (error as LockedOutError).retryAfterSec;
    }
  };
  const fail = (address: string, times = 1, kind: 'password' | 'token' = 'password') =>
    Array.from({ length: times }, () => lockOuts.fail(kind, address)?.retryAfterSec ?? 0);
  return { lockOuts, limits, clock, told, waitSec, fail };
}

t.test('so many failures lock an address out, and time lets it in again', (t) => {
  const { lockOuts, clock, told, waitSec, fail } = make();
  t.ok(lockOuts.isQuiet);
  for (const title of ['', 'once more']) {
    t.same(fail('10.1.1.1', 2), [0, 0], title);
    t.equal(waitSec('10.1.1.1'), 0);
    t.same(fail('10.1.1.1'), [0], 'the last one is told what is wrong');
    t.equal(waitSec('10.1.1.1'), 60);
    t.same(fail('10.1.1.1', 2), [60, 60]);
    t.equal(waitSec('10.1.1.2'), 0, 'another address');
    t.equal(waitSec('10.1.1.1', 'token'), 0, 'tokens are counted for themselves');
    clock.ms += 59_500;
    t.equal(waitSec('10.1.1.1'), 1, 'failures meanwhile made it no longer');
    clock.ms += 500;
    t.equal(waitSec('10.1.1.1'), 0);
  }
  t.same(told.length, 2);
  t.match(told[0], /"address":"10.1.1.1","failed":3,"lockOutSec":60.*too many wrong passwords/);
  t.match(lockOuts.status(), { addresses: 0, lockOuts: 2 });
  t.ok(lockOuts.isQuiet, 'forgotten');
  t.end();
});

t.test('failures that are long ago do not count', (t) => {
  const { clock, waitSec, fail } = make();
  fail('a', 2);
  clock.ms += 60_000;
  fail('a', 2);
  t.equal(waitSec('a'), 0);
  fail('a');
  t.equal(waitSec('a'), 60);
  t.end();
});

t.test('limits change while it runs', (t) => {
  const { limits, waitSec, fail } = make();
  fail('a', 3);
  limits.failedLoginsMax = 0;
  t.equal(waitSec('a'), 0, 'no limit');
  t.same(fail('a', 5), [0, 0, 0, 0, 0]);
  limits.failedLoginsMax = 4;
  t.equal(waitSec('a'), 0);
  fail('a');
  t.equal(waitSec('a'), 60);
  t.end();
});

t.test('so many addresses are watched', (t) => {
  const { lockOuts, waitSec, fail } = make(3, 60, 2);
  fail('a', 3);
  fail('b', 1);
  t.equal(waitSec('a'), 60);
  fail('c', 1);
  t.equal(lockOuts.status().addresses, 2);
  t.equal(waitSec('a'), 0, 'the one that failed last the longest time ago is forgotten');
  t.end();
});

t.test('networks', (t) => {
  const check = (address: string, expected: string): void => {
    for (const title of [address, `${address} again`]) t.equal(networkOf(address), expected, title);
  };
  check('10.1.2.3', '10.1.2.3');
  check('', '');
  check('2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64');
  check('2001:0DB8:0001:0002:0000:0000:0000:0001', '2001:db8:1:2::/64');
  check('2001:db8::1', '2001:db8:0:0::/64');
  check('fe80::1%eth0', 'fe80:0:0:0::/64');
  check('::1', '0:0:0:0::/64');
  check('::ffff:10.1.2.3', '10.1.2.3');
  check('::ffff:0a01:0203', '10.1.2.3');
  check('0000:0000:0000:0000:0000:ffff:0a01:0203', '10.1.2.3');
  check('1::', '1:0:0:0::/64');
  t.end();
});
