import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a module as a process of its own: the task is its argument, its output the result as JSON. */
export function forkTask(moduleUrl: string, task: unknown): ChildProcess {
  return fork(fileURLToPath(moduleUrl), [JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}

/** What such a process printed; rejects if it fails. `what` it is, for the error. */
export function resultOf<Result>(child: ChildProcess, what: string): Promise<Result> {
  let output = '';
  child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as Result);
      else reject(new Error(`${what} ended with ${code}`));
    });
  });
}
