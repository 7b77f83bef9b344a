#!/usr/bin/env -S node --max-semi-space-size=2
import './service/collector.js';
import { parseFlags } from './config/flags.js';

/**
 * Does what the command line asks for: mostly, to serve until a signal comes. What only some of it needs is loaded
 * there: the shard's thread should begin soon.
 */
async function main(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv);
  if (flags.showVersion) {
    const { version } = await import('./service/version.js');
    process.stdout.write(`metricshard ${version()}\n`);
  } else if (flags.checkConfig) {
    const { checkConfig } = await import('./live/check-config.js');
    process.exitCode = await checkConfig(flags, (line) => console.log(line));
  } else if (flags.cleanUp) {
    const { cleanUpCheckpoints } = await import('./routing/clean-up.js');
    const { loadConfig } = await import('./config/parse-config.js');
    const { config } = loadConfig(argv);
    await cleanUpCheckpoints(config.store, Date.now(), (line) => console.log(line));
  } else {
    const { beginThread, begunThreadLoaded, SHARD_THREAD } =
      await import('./routing/thread-pool.js');
    beginThread(SHARD_THREAD);
    const { startProgram } = await import('./program.js');
    await startProgram(flags).catch(async (error: unknown) => {
      await begunThreadLoaded();
      throw error;
    });
  }
}

main(process.argv.slice(2)).catch(async (error: unknown) => {
  const { startFailure } = await import('./service/exit-codes.js');
  const { code, line } = startFailure(error);
  process.stderr.write(`metricshard: ${line}\n`);
  process.exit(code);
});
