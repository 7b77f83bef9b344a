import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { basename, join } from 'node:path';

const STOP_WAIT_MS = 120_000;
const READY_WAIT_MS = 300_000;
const READY_POLL_MS = 10;
const OUTPUT_CHARS_KEPT = 20_000;
const VERSION = /\d+\.\d+(\.\d+)?[\w.~+-]*/;
const PAGE_FIELDS = { Pss: 'bytes', Pss_File: 'fileBytes', Pss_Shmem: 'sharedBytes' } as const;

/** Memory of a process and its children; pages that several share count once. */
export interface Memory {
  readonly bytes: number;
  /** Of that, pages of files, which the kernel may take back. */
  readonly fileBytes: number;
  /** Of that, pages of shared memory. */
  readonly sharedBytes: number;
}

const mustEnd: (() => number)[] = [];

/** What has this process number when we end is killed, with all below it; 0 = nothing. */
export function endWithUs(pidOf: () => number): void {
  if (mustEnd.length === 0) {
    process.once('exit', () => {
      for (const pid of mustEnd) signalTree(pid(), 'SIGKILL');
    });
  }
  mustEnd.push(pidOf);
}

/** A store's process; it ends with us, whatever happens. */
export class StoreProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #hasEnded = false;
  #output = '';

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      cwd: '/',
    });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_CHARS_KEPT);
    };
    this.#child.stdout!.on('data', keep);
    this.#child.stderr!.on('data', keep);
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true;
        resolve();
      };
      this.#child.once('exit', end);
      this.#child.once('error', (error) => {
        this.#output += error.message;
        end();
      });
    });
    endWithUs(() => this.pid);
  }

  /** 0 when it has ended. */
  get pid(): number {
    return this.#hasEnded ? 0 : (this.#child.pid ?? 0);
  }

  /** Waits until `isReady`; errors of it mean not yet. */
  async untilReady(isReady: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + READY_WAIT_MS;
    while (!(await isReady().catch(() => false))) {
      if (this.#hasEnded || performance.now() > deadline) {
        throw new Error(`the store did not start: ${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  /** Asks it to end, and waits; what does not end in two minutes is killed, and that is an error. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), STOP_WAIT_MS);
    });
    const first = await Promise.race([this.#ended, late]);
    clearTimeout(timer);
    if (first !== 'late') return;
    await this.kill();
    throw new Error(`the store did not end: ${this.#output}`);
  }

  async kill(): Promise<void> {
    signalTree(this.pid, 'SIGKILL');
    await this.#ended;
  }
}

/** A process and all below it. */
export function processTree(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(name)?.[1]);
    if (!childrenOf.has(parent)) childrenOf.set(parent, []);
    childrenOf.get(parent)!.push(Number(name));
  }
  const found = [root];
  for (const pid of found) found.push(...(childrenOf.get(pid) ?? []));
  return found;
}

/** All threads of all processes of a store; SIGSTOP and SIGCONT take it out of the way for a while. */
export function signalTree(root: number, signal: NodeJS.Signals): void {
  if (root === 0) return;
  for (const pid of processTree(root)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

export function memoryOf(root: number): Memory {
  const memory = { bytes: 0, fileBytes: 0, sharedBytes: 0 };
  for (const pid of processTree(root)) {
    const text = readText(`/proc/${pid}/smaps_rollup`);
    for (const [name, key] of Object.entries(PAGE_FIELDS)) {
      memory[key] += Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
    }
  }
  return memory;
}

/** User and system time, also of children that have ended, at 100 ticks a second. */
export function cpuSecondsOf(root: number): number {
  return processTree(root).reduce((sum, pid) => {
    const fields = statFields(String(pid));
    const ticks = fields ? fields.slice(11, 15).map(Number) : [];
    return sum + ticks.reduce((total, count) => total + count, 0) / 100;
  }, 0);
}

/** Of `/proc/PID/stat` what stands behind the command's name, which may hold blanks. */
function statFields(pid: string): string[] | undefined {
  const text = readText(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

/** What the files of a folder take on the disk; those that `isCounted` refuses are left out. */
export function folderBytes(
  folder: string,
  isCounted: (path: string) => boolean = () => true,
): number {
  let sum = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!isCounted(name)) continue;
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (stat?.isFile()) sum += stat.blocks * 512;
  }
  return sum;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The first of some programs that is there. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':');
  const paths = names.flatMap((name) =>
    name.startsWith('/') ? [name] : [...folders, '/usr/sbin'].map((folder) => join(folder, name)),
  );
  return paths.find((path) => existsSync(path));
}

/** What a program says of itself: the first number with points. */
export function versionOf(program: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 });
  const own = VERSION.exec(`${stdout}${stderr}`)?.[0];
  if (own !== undefined) return own;
  // Some that Debian built were not told theirs.
  const owner = spawnSync('dpkg-query', ['-W', '-f', '${Version}', basename(program)], {
    encoding: 'utf8',
  });
  return VERSION.exec(owner.stdout ?? '')?.[0] ?? 'unknown version';
}
