import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import {
  checkCost,
  makePasswordHash,
  NEW_COST,
  type PasswordCost,
} from '../src/auth/password-hash.js';
import { AUTH_DEFAULTS } from '../src/config/auth-config.js';
import { userProblems } from '../src/config/users-config.js';
import { tellsUsage } from './arguments.js';

const USAGE = `usage: passwd NAME [--roles R,…] [--clusters C,…] [--ln N]

Prints the entry of a user for metricshard.users, with a hash of his password, which is asked for twice
at a terminal and else read from standard input.
  --roles     such as ROLE_ADMIN; what they allow is metricshard.auth.roles (ROLE_SUPPORT: query)
  --clusters  limits the roles to these clusters
  --ln        a check takes 2^N KiB of memory (15: 32 MiB, and 0.2 s)`;

const ROLES_DEFAULT = 'ROLE_SUPPORT';
const PASSWORD_CHARS_MIN = 8;
/** What is not a password any more, and `token-bytes-max` would refuse. */
const PASSWORD_BYTES_MAX = 1024;

class UsageError extends Error {}

/** A terminal, or what is piped in. */
export interface PasswordInput extends AsyncIterable<string | Uint8Array> {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
}

/** Where the entry and what is asked go. */
export interface Output {
  print(text: string): void;
  /** Not to where the entry goes, which may be a file. */
  ask(text: string): void;
}

/** Does what the arguments say; resolves to the exit code. */
export async function run(
  argv: readonly string[],
  input: PasswordInput,
  output: Output,
): Promise<number> {
  if (tellsUsage(argv, USAGE)) return 0;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { roles: { type: 'string' }, clusters: { type: 'string' }, ln: { type: 'string' } },
      allowPositionals: true,
    });
    const [name = ''] = positionals;
    if (positionals.length !== 1) throw new UsageError('it takes the name of one user');
    const roles = listOf(values.roles ?? ROLES_DEFAULT);
    checkName(name);
    const cost = costOf(values.ln);
    const password = await readPassword(input, output);
    const user = {
      password: await makePasswordHash(password, cost),
      roles,
      ...(values.clusters !== undefined && { clusters: listOf(values.clusters) }),
    };
    output.print(`${JSON.stringify(name)}: ${JSON.stringify(user)}`);
    return 0;
  } catch (error) {
    const { message, code = '' } = error as NodeJS.ErrnoException;
    if (!(error instanceof UsageError) && !code.startsWith('ERR_PARSE_ARGS')) throw error;
    output.ask(`passwd: ${message}\n\n${USAGE}\n`);
    return 2;
  }
}

function listOf(text: string): string[] {
  return text.split(',').map((entry) => entry.trim());
}

/** Roles may be those of a configuration that is not seen here. */
function checkName(name: string): void {
  const user = { password: '', roles: [], clusters: undefined };
  const [problem] = userProblems({ [name]: user }, AUTH_DEFAULTS.roles);
  if (problem) throw new UsageError(problem.message);
}

function costOf(text: string | undefined): PasswordCost {
  const cost = { ...NEW_COST, ...(text !== undefined && { costBits: Number(text) }) };
  try {
    checkCost(cost);
  } catch (error) {
    throw new UsageError(`--ln: ${(error as Error).message}`);
  }
  return cost;
}

async function readPassword(input: PasswordInput, { ask }: Output): Promise<string> {
  let password: string;
  if (input.isTTY) {
    const lines = typedLines(input);
    ask('Password: ');
    password = await nextLine(lines, ask);
    ask('Once more: ');
    const again = await nextLine(lines, ask);
    await lines.return(undefined);
    if (again !== password) throw new UsageError('these are two different passwords');
  } else password = (await readAll(input)).replace(/\r?\n$/, '');
  if (password.includes('\n')) throw new UsageError('a password has one line');
  if ([...password].length < PASSWORD_CHARS_MIN) {
    throw new UsageError(`a password has ${PASSWORD_CHARS_MIN} characters or more`);
  }
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) {
    throw new UsageError(`a password has at most ${PASSWORD_BYTES_MAX} bytes`);
  }
  return password;
}

async function nextLine(
  lines: AsyncGenerator<string, void>,
  ask: (text: string) => void,
): Promise<string> {
  const { value } = await lines.next();
  ask('\n');
  if (value === undefined) throw new UsageError('no password was typed');
  return value;
}

/** Lines typed at a terminal that shows nothing of them. Ends at Ctrl-C and Ctrl-D. */
async function* typedLines(input: PasswordInput): AsyncGenerator<string, void> {
  input.setRawMode?.(true);
  try {
    let line: string[] = [];
    const decoder = new TextDecoder();
    for await (const chunk of input) {
      const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      for (const char of text) {
        if (char === '\x03' || char === '\x04') return;
        if (char === '\r' || char === '\n') {
          yield line.join('');
          line = [];
        } else if (char === '\x7f' || char === '\b') line.pop();
        else line.push(char);
      }
    }
  } finally {
    input.setRawMode?.(false);
  }
}

async function readAll(input: PasswordInput): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await run(process.argv.slice(2), process.stdin, {
    print: (text) => console.log(text),
    ask: (text) => process.stderr.write(text),
  });
}
