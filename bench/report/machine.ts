import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** On what something was measured. */
export interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  /** Of the checkout; `unknown` outside of one. */
  readonly commit: string;
}

export function thisMachine(): Machine {
  return {
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    commit: commit(),
  };
}

/** One line for the head of a table. */
export function machineText({ node, cores, cpu, memoryGiB, commit }: Machine): string {
  return `Node ${node}, ${cores} × ${cpu}, ${memoryGiB} GiB, commit ${commit}`;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
