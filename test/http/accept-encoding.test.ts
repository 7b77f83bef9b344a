import t from 'tap';
import { chooseEncoding } from '../../src/http/accept-encoding.js';

t.test('which encoding is chosen', (t) => {
  const check = (header: string, expected: string, small = ''): void => {
    t.equal(chooseEncoding(header, true), expected, JSON.stringify(header));
    t.equal(chooseEncoding(header, true), expected, `${JSON.stringify(header)} again`);
    t.equal(chooseEncoding(header, false), small, `${JSON.stringify(header)} for little`);
  };
  check('', '');
  check('gzip', 'gzip');
  check('x-gzip', 'gzip');
  check('br', 'br');
  check('zstd', 'zstd');
  check('ZSTD', 'zstd');
  check('deflate', '');
  check('gzip, deflate, br, zstd', 'zstd');
  check('gzip, deflate, br', 'br');
  check('gzip;q=1.0, zstd;q=0.9', 'gzip');
  check('gzip;q=0.5, br;q=0.5', 'br');
  check('zstd;q=0, br;q=0.001', 'br');
  check('zstd;q=0, gzip;q=0', '');
  check('*', 'zstd');
  check('*;q=0.1, gzip;q=0.2', 'gzip');
  check('*, zstd;q=0', 'br');
  check('*;q=0, gzip', 'gzip', 'gzip');
  check('identity', '');
  check('identity, gzip', 'gzip');
  check('identity, gzip;q=0.9', '');
  check('identity;q=0.5, gzip;q=0.5', 'gzip');
  check('identity;q=0.5, gzip;q=0.2, br;q=0.6', 'br');
  check('identity;q=0, gzip', 'gzip', 'gzip');
  check('identity;q=0, *', 'zstd', 'zstd');
  check('identity;q=0.1, *;q=0', '');
  // A client that excludes all we have gets it as it is.
  check('identity;q=0', '');
  check('*;q=0', '');
  check('identity;q=0, deflate', '');
  // Garbage.
  check('gzip;q=2', '');
  check('gzip;q=, br', 'br');
  check(',,;q=1;;, "gzip"', '');
  check('\u0000\u00ff', '');
  check('gzipped', '');
  check('g zip', '');
  t.end();
});
