import { spawnSync } from 'node:child_process';
import t from 'tap';
import { isPassword, parsePasswordHash } from '../../src/auth/password-hash.js';
import { parseConfig } from '../../src/config/parse-config.js';
import { run, type PasswordInput } from '../../scripts/passwd.js';

const PASSWORD = 'Grüße, Anna';

interface Outcome {
  readonly code: number;
  readonly printed: string;
  readonly asked: string;
  /** Of the terminal, as it was set. */
  readonly raw: readonly boolean[];
}

async function outcome(
  argv: readonly string[],
  chunks: readonly (string | Uint8Array)[],
  isTTY = false,
): Promise<Outcome> {
  const raw: boolean[] = [];
  const input: PasswordInput = {
    isTTY,
    setRawMode: (isRaw) => raw.push(isRaw),
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
  };
  let printed = '';
  let asked = '';
  const output = {
    print: (text: string) => (printed += `${text}\n`),
    ask: (text: string) => (asked += text),
  };
  return { code: await run(argv, input, output), printed, asked, raw };
}

t.test('the entry of a user', async (t) => {
  const argv = [
    'anna',
    '--roles',
    'ROLE_ADMIN, ROLE_API',
    '--clusters',
    'alex,fritz',
    '--ln',
    '10',
  ];
  const bytes = Buffer.from(`${PASSWORD}\r`);
  const cases: [title: string, Outcome][] = [
    ['piped', await outcome(argv, [`${PASSWORD}\n`])],
    ['piped, without an end', await outcome(argv, [bytes.subarray(0, 3), bytes.subarray(3, -1)])],
    ['typed', await outcome(argv, [bytes, bytes.subarray(0, 3), bytes.subarray(3)], true)],
    ['corrected', await outcome(argv, ['\x7fx\x7fGrüße,x\b Anna\r', bytes], true)],
  ];
  for (const [title, { code, printed, asked, raw }] of cases) {
    t.equal(code, 0, title);
    t.notMatch(printed + asked, 'Anna"', title);
    t.same(raw, asked === '' ? [] : [true, false], 'the terminal is as it was');
    const users = JSON.parse(`{${printed}}`);
    t.match(users, { anna: { roles: ['ROLE_ADMIN', 'ROLE_API'], clusters: ['alex', 'fritz'] } });
    parseConfig({ metricshard: { users } });
    const hash = parsePasswordHash(users.anna.password);
    t.ok(await isPassword(PASSWORD, hash), title);
  }
});

t.test('what is refused', async (t) => {
  const check = async (
    argv: readonly string[],
    typed: readonly string[],
    why: RegExp,
    isTTY = false,
  ): Promise<void> => {
    const { code, printed, asked } = await outcome(argv, typed, isTTY);
    t.same([code, printed], [2, ''], String(why));
    t.match(asked, why);
  };
  await check([], [PASSWORD], /name of one user/);
  await check(['a', 'b'], [PASSWORD], /name of one user/);
  await check(['a:b'], [PASSWORD], /no colon/);
  await check(['a', '--role', 'x'], [PASSWORD], /Unknown option/);
  for (const ln of ['9', '21', 'x', '10.5']) {
    await check(['anna', '--ln', ln], [PASSWORD], /--ln: ln of the password hash must be 10 to 20/);
  }
  await check(['anna', '--ln', '18'], [PASSWORD], /--ln: .* 2 s to check/);
  await check(['anna'], [''], /8 characters or more/);
  await check(['anna'], ['1234567\n'], /8 characters or more/);
  await check(['anna'], ['12345678\n12345678\n'], /one line/);
  await check(['anna'], ['x'.repeat(1025)], /at most 1024 bytes/);
  await check(['anna'], ['12345678\r12345679\r'], /two different/, true);
  await check(['anna'], ['1234\x03'], /no password was typed/, true);
  await check(['anna'], ['12345678\r\x04'], /no password was typed/, true);
});

t.test('as it is called', async (t) => {
  const { status, stdout, stderr } = spawnSync('scripts/passwd', ['anna'], {
    input: 'correct horse\n',
  });
  t.same([status, stderr.toString()], [0, '']);
  t.match(
    stdout.toString(),
    /^"anna": \{"password":"\$scrypt\$ln=15,r=8,p=3\$[^"]+","roles":\["ROLE_SUPPORT"\]\}\n$/,
  );
});
