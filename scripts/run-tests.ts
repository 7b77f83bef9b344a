import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { countTap } from './tap-count.js';

/**
 * Runs the compiled test files, each in a Node process of its own. A tap file prints TAP by itself,
 * so neither tap's command line nor its plugins are needed, and what is tested is what ships.
 * Arguments are parts of paths and select files.
 *
 * The last line printed is `N passed, N failed`, in assertions. A file that crashes, times out,
 * ends early or asserts nothing counts as a failure of its own. In a run of all files, the few that fail
 * beside others are run once more, alone: real servers that write and sync share disk and cores with
 * whatever runs next to them. It is told, and what fails then has failed.
 */
const FILE_TIMEOUT_MS = 120_000;

/**
 * System tests mostly wait: for seconds that pass in a store, for servers that start and stop. Three at once keep two
 * cores busy; with more, tests of how soon something is done would tell of each other.
 */
const JOBS_MAX = 3;

/** More than these failing is no matter of time. */
const FILES_AGAIN_MAX = 3;

/** A file that prints more than this is stopped: it would fill memory. */
const OUTPUT_CHARS_MAX = 64 * 1024 * 1024;

interface FileResult {
  readonly passed: number;
  readonly failed: number;
  /** What to show of a file that failed. */
  readonly details: readonly string[];
}

interface Ended {
  readonly output: string;
  readonly errors: string;
  /** Why the file did not end well, if it did not. */
  readonly reason: string | undefined;
}

const running = new Set<number>();

async function main(selectors: readonly string[]): Promise<void> {
  const files = testFiles(selectors);
  const total = { passed: 0, failed: 0 };
  const waiting = [...files];
  const results = new Map<string, FileResult>();
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      results.set(file, await runAndTell(file));
    }
  };
  await Promise.all(Array.from({ length: JOBS_MAX }, worker));
  const failed = files.filter((file) => results.get(file)!.failed > 0);
  if (selectors.length === 0 && failed.length <= FILES_AGAIN_MAX) {
    for (const file of failed) {
      console.log(`once more, alone: ${file}`);
      results.set(file, await runAndTell(file));
    }
  }
  for (const result of results.values()) {
    total.passed += result.passed;
    total.failed += result.failed;
  }

  if (files.length === 0) {
    console.log(`no test file matches ${selectors.join(' ') || 'test/**/*.test.ts'}`);
    total.failed++;
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

async function runAndTell(file: string): Promise<FileResult> {
  const startMs = performance.now();
  const result = await runFile(file);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const verdict = result.failed === 0 ? 'ok  ' : 'FAIL';
  const counts = `${result.passed} passed, ${result.failed} failed`;
  console.log(`${verdict} ${file} (${counts}, ${seconds} s)`);
  for (const detail of result.details) console.log(detail.replace(/^/gm, '     '));
  return result;
}

/** Sources, not outputs: a deleted test may have left its compiled form in dist. */
function testFiles(selectors: readonly string[]): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test', path))
    .filter((path) => selectors.length === 0 || selectors.some((part) => path.includes(part)))
    .sort();
}

async function runFile(source: string): Promise<FileResult> {
  const compiled = join('dist', source.replace(/\.ts$/, '.js'));
  if (!existsSync(compiled)) {
    return { passed: 0, failed: 1, details: [`${compiled} is missing; run npm run build`] };
  }
  const { output, errors, reason } = await runNode(compiled);
  const { passed, failed, complete, failures } = countTap(output);
  const details = [...failures];
  if (failed === 0) {
    if (reason !== undefined) details.push(reason);
    else if (!complete) details.push('ended before its plan was printed');
    else if (passed === 0) details.push('asserted nothing');
  } else if (reason !== undefined) details.push(reason);
  const bad = details.length > 0;
  if (bad && errors !== '') details.push(errors.slice(-8000));
  return { passed, failed: bad ? Math.max(1, failed) : 0, details };
}

function runNode(file: string): Promise<Ended> {
  return new Promise((resolve) => {
    // A group of its own, so that what a test started ends with it.
    const child = spawn(process.execPath, ['--enable-source-maps', file], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TAP_TIMEOUT: String(FILE_TIMEOUT_MS / 1000) },
    });
    let output = '';
    let errors = '';
    let stopped: string | undefined;
    const stop = (reason: string): void => {
      stopped ??= reason;
      endGroup(child.pid);
    };
    // tap's own timeout comes first and says which test hangs; this one ends what ignores it.
    const timer = setTimeout(() => stop('timed out'), FILE_TIMEOUT_MS + 10_000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length + text.length > OUTPUT_CHARS_MAX) stop('printed too much');
      else output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-65_536);
    });
    const end = (reason: string | undefined): void => {
      clearTimeout(timer);
      if (child.pid !== undefined) running.delete(child.pid);
      resolve({ output, errors, reason: stopped ?? reason });
    };
    child.on('error', (error) => end(`did not start: ${error.message}`));
    // Children that outlive the test hold its pipes open, and 'close' would wait for them.
    child.on('exit', () => endGroup(child.pid));
    child.on('close', (code, signal) => {
      end(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`);
    });
    if (child.pid !== undefined) running.add(child.pid);
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is empty: nothing is left to end.
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const pid of running) endGroup(pid);
    process.exit(1);
  });
}

await main(process.argv.slice(2));
