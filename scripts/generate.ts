import { pathToFileURL } from 'node:url';
import { tellsUsage } from './arguments.js';
import { destinationName, openDestination } from './destinations/destination-flags.js';
import { reasonOf, type Destination } from './destinations/destination.js';
import { isClosedPipe } from './destinations/line-file.js';
import { writeCheckpoints } from './generator/checkpoints.js';
import { parseGenerateArgs, USAGE, type GenerateOptions } from './generator/options.js';
import { sendLive } from './generator/send-live.js';
import { sendRange } from './generator/send.js';

/** What is told goes to standard error: lines may go to standard output. */
type Print = (text: string) => void;

/** Runs the command; resolves to its exit code. `signal` ends `--live`. */
export async function generate(
  argv: readonly string[],
  print: Print,
  signal = new AbortController().signal,
): Promise<number> {
  if (tellsUsage(argv, USAGE)) return 0;
  let options: GenerateOptions;
  try {
    options = parseGenerateArgs(argv, Date.now() / 1000);
  } catch (error) {
    print(`generate: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  for (const warning of options.topology.warnings) print(`warning: ${warning}`);
  const { task } = options;
  try {
    if (task.kind === 'print-config') {
      console.log(JSON.stringify(options.topology.config, null, 2));
      return 0;
    }
    print(whatIsMade(options));
    if (task.kind === 'checkpoints') {
      const { data, fromSec, untilSec } = options;
      const { directory, format } = task;
      const written = writeCheckpoints(data, directory, format, fromSec, untilSec);
      print(`${written.files} files, ${written.samples} samples, ${written.bytes} bytes`);
      return 0;
    }
    return await send(options, print, signal);
  } catch (error) {
    if (isClosedPipe(error)) return 0;
    print(`generate: ${placeOf(task)}: ${reasonOf(error)}`);
    return 1;
  }
}

async function send(options: GenerateOptions, print: Print, signal: AbortSignal): Promise<number> {
  const { data, task, batchLines } = options;
  if (task.kind !== 'send' && task.kind !== 'live') throw new Error(`${task.kind} sends nothing`);
  const isLive = task.kind === 'live';
  const destination = await openDestination(task.destination, print, isLive ? signal : undefined);
  const onPresent = (): void => print(`${destination.progress.text()}; now as it comes`);
  try {
    const badCount = isLive
      ? await sendLive(data, destination, {
          historySec: task.historySec,
          batchLines,
          signal,
          onPresent,
        })
      : await sendRange(data, destination, options);
    await destination.close();
    return verdict(destination, badCount, print);
  } catch (error) {
    await destination.close().catch(() => undefined);
    throw error;
  }
}

/** Tells what it came to; 1 if a store refused what was not made to be refused. */
function verdict(destination: Destination, badCount: number, print: Print): number {
  const { totals } = destination.progress;
  print(destination.progress.text());
  if (totals.ignored > totals.written) {
    print('the store does not know most of these metrics: --print-config shows what to configure');
  }
  if (totals.rejected <= badCount) return 0;
  for (const example of totals.examples) print(`rejected: ${example}`);
  return 1;
}

function whatIsMade({ data, seed, fromSec, untilSec, task }: GenerateOptions): string {
  const hosts = data.hosts.length;
  const what = `${hosts} hosts, ${data.seriesCount} series, seed ${seed}`;
  if (task.kind === 'live') {
    return `${what}: the last ${task.historySec} s, then live to ${placeOf(task)}; Ctrl-C ends it`;
  }
  return `${what}, --from ${fromSec} --to ${untilSec} to ${placeOf(task)}`;
}

function placeOf(task: GenerateOptions['task']): string {
  if (task.kind === 'print-config') return 'standard output';
  return task.kind === 'checkpoints' ? task.directory : destinationName(task.destination);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const stopping = new AbortController();
  // The second one ends it whatever it does.
  process.once('SIGINT', () => stopping.abort()).once('SIGTERM', () => stopping.abort());
  const print = (text: string): void => console.error(text);
  process.exitCode = await generate(process.argv.slice(2), print, stopping.signal);
}
