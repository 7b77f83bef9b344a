import t from 'tap';
import { isPassword, makePasswordHash, parsePasswordHash } from '../../src/auth/password-hash.js';

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString('base64').replace(/=+$/, '');
const SALT = base64(Buffer.alloc(16, 7));
const HASH = base64(Buffer.alloc(32, 9));

t.test('a password and its hash', async (t) => {
  // From RFC 7914, 12.
  const known =
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
    'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';
  const parts = [Buffer.from('SodiumChloride'), Buffer.from(known, 'hex')].map(base64);
  const text = `$scrypt$ln=14,r=8,p=1$${parts.join('$')}`;
  for (const title of ['', 'again']) {
    t.ok(await isPassword('pleaseletmein', parsePasswordHash(text)), title);
    t.notOk(await isPassword('Pleaseletmein', parsePasswordHash(text)), title);
    t.notOk(await isPassword('', parsePasswordHash(text)), title);
  }
  const cost = { costBits: 10, blockSize: 8, parallelization: 1 };
  const [one, two] = [
    await makePasswordHash('secret', cost),
    await makePasswordHash('secret', cost),
  ];
  t.not(one, two, 'each has a salt of its own');
  t.ok(await isPassword('secret', parsePasswordHash(one)));
  t.ok(await isPassword('secret', parsePasswordHash(two)));
  const umlauts = parsePasswordHash(await makePasswordHash('Grüße'.normalize('NFD'), cost));
  t.ok(await isPassword('Grüße'.normalize('NFC'), umlauts), 'however umlauts are written');
  const large = parsePasswordHash(`$scrypt$ln=10,r=32,p=2$${SALT}$${HASH}`);
  t.notOk(await isPassword('secret', large), 'memory for larger blocks');
});

t.test('bounds', (t) => {
  const check = (text: string, why: RegExp | undefined): void => {
    for (const title of [text, `${text} again`]) {
      if (!why) t.doesNotThrow(() => parsePasswordHash(text), title);
      else {
        t.throws(() => parsePasswordHash(text), why, title);
        t.throws(() => parsePasswordHash(text), { name: 'RangeError' });
      }
    }
  };
  const made = (parameters: string, salt = SALT, hash = HASH): string =>
    `$scrypt$${parameters}$${salt}$${hash}`;
  check(made('ln=15,r=8,p=1'), undefined);
  check(made('ln=10,r=1,p=1'), undefined);
  check(made('ln=18,r=8,p=2'), undefined);
  check(made('ln=9,r=8,p=1'), /ln of the password hash must be 10 to 20/);
  check(made('ln=21,r=8,p=1'), /ln of the password hash must be 10 to 20/);
  check(made('ln=19,r=8,p=1'), /more than 268435456 bytes/);
  check(made('ln=18,r=8,p=3'), /or 2 s to check/);
  check(made('ln=15,r=33,p=1'), /r 1 to 32/);
  check(made('ln=15,r=0,p=1'), /r 1 to 32/);
  check(made('ln=15,r=8,p=17'), /p 1 to 16/);
  check(made('ln=15,r=8,p=1', 'AAAA'), /a salt of 8/);
  check(made('ln=15,r=8,p=1', SALT, 'AAAA'), /a hash of 16/);
  const form =
    /^is not a password hash of the form \$scrypt\$ln=15,r=8,p=3\$SALT\$HASH; scripts\/passwd/;
  for (const text of [
    '',
    'password',
    made('ln=15,r=8,p=1', `${SALT}==`),
    made('r=8,ln=15,p=1'),
    made('ln=015,r=8,p=1'),
    made('ln=15,r=8,p=1', SALT, 'A'.repeat(91)),
    ` ${made('ln=15,r=8,p=1')}`,
    '$2b$12$abcdefghijklmnopqrstuv',
  ]) {
    check(text, form);
  }
  t.end();
});
