#!/usr/bin/env -S node --max-semi-space-size=2
import './service/collector.js';
import { parseFlags } from './config/flags.js';
import { loadConfig } from './config/parse-config.js';
import { startProgram } from './program.js';
import { startFailure } from './service/exit-codes.js';
import { version } from './service/version.js';

/** Does what the command line asks for: mostly, to serve until a signal comes. */
async function main(argv: readonly string[]): Promise<void> {
  const flags = parseFlags(argv);
  if (flags.showVersion) {
    process.stdout.write(`metricshard ${version()}\n`);
  } else if (flags.checkConfig) {
    // Loaded here only, as below: no start should wait for it.
    const { checkConfig } = await import('./live/check-config.js');
    process.exitCode = await checkConfig(flags, (line) => console.log(line));
  } else if (flags.cleanUp) {
    const { cleanUpCheckpoints } = await import('./routing/clean-up.js');
    const { config } = loadConfig(argv);
    await cleanUpCheckpoints(config.store, Date.now(), (line) => console.log(line));
  } else await startProgram(flags);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const { code, line } = startFailure(error);
  process.stderr.write(`metricshard: ${line}\n`);
  process.exit(code);
});
