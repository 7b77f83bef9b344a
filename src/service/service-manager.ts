import { spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from '../model/logger.js';

/**
 * Hands a line to systemd-notify, up to two variables with a tab between them, one line after the other, until
 * its input ends.
 */
const SCRIPT = `tab=$(printf '\\t')
while IFS=$tab read -r first second; do
  systemd-notify "$first" \${second:+"$second"} || echo "systemd-notify failed: $?" >&2
done`;

/** How often it is looked whether the store is ready. */
const LOOK_MS = 200;

/** What systemd tells a service by its environment. */
export interface ServiceEnvironment {
  readonly NOTIFY_SOCKET?: string;
  readonly WATCHDOG_USEC?: string;
  readonly WATCHDOG_PID?: string;
}

/**
 * Tells systemd how the store is, where it wants to know (`Type=notify`). Node has no datagram sockets in the
 * file system, which is how that is told; `systemd-notify` does it. It is run by a shell that is started
 * while the process is small: to start a process from one with gigabytes of samples stops it for long.
 */
export class ServiceManager {
  readonly #log: Logger;
  readonly #shell: ChildProcess | undefined;
  #readyTimer: NodeJS.Timeout | undefined;
  #isTold = false;

  constructor(environment: ServiceEnvironment, log: Logger) {
    this.#log = log;
    if (!environment.NOTIFY_SOCKET) return;
    this.#shell = this.#start();
    this.#tell('STATUS=restoring what is on disk');
    this.#watch(environment);
  }

  /** Tells it as soon as all shards serve; `status` is what `systemctl status` shows then. */
  readyWhen(isReady: () => boolean, status: string): void {
    if (!this.#shell) return;
    clearInterval(this.#readyTimer);
    const look = (): void => {
      if (!isReady()) return;
      clearInterval(this.#readyTimer);
      this.#tell('READY=1', `STATUS=${status}`);
    };
    this.#readyTimer = setInterval(look, LOOK_MS).unref();
    look();
  }

  /** The configuration is read again; `reloaded` has to follow. */
  reloading(): void {
    const monotonicUs = process.hrtime.bigint() / 1000n;
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${monotonicUs}`);
  }

  reloaded(): void {
    this.#tell('READY=1');
  }

  /** The store is being stopped: it answers and saves. */
  stopping(): void {
    clearInterval(this.#readyTimer);
    this.#tell('STOPPING=1', 'STATUS=saving what is in memory');
  }

  #start(): ChildProcess {
    const shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'pipe'] });
    shell.on('error', (error) => this.#fails(error.message));
    shell.on('exit', () => this.#fails('the shell has ended'));
    shell.stdin.on('error', () => undefined);
    shell.stderr.on('data', (chunk: Buffer) => this.#fails(chunk.toString().trim()));
    shell.unref();
    for (const stream of [shell.stdin, shell.stderr]) (stream as { unref?(): void }).unref?.();
    return shell;
  }

  /** Once: without an answer systemd stops the store by itself, and says so. */
  #fails(why: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#log.error({ problem: why.slice(0, 500) }, 'systemd can not be told how the store is');
  }

  /** The loop of the front is alive as long as this is told: what hangs in there is started anew. */
  #watch({ WATCHDOG_USEC, WATCHDOG_PID }: ServiceEnvironment): void {
    const periodMs = Number(WATCHDOG_USEC) / 1000;
    if (!(periodMs > 0) || (WATCHDOG_PID && Number(WATCHDOG_PID) !== process.pid)) return;
    setInterval(() => this.#tell('WATCHDOG=1'), periodMs / 3).unref();
  }

  #tell(...variables: string[]): void {
    const line = variables.map((variable) => variable.replaceAll(/\s+/g, ' ')).join('\t');
    const { stdin } = this.#shell ?? {};
    if (stdin?.writable) stdin.write(`${line}\n`);
  }
}
