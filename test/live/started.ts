import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { parseFlags } from '../../src/config/flags.js';
import type { Applier } from '../../src/live/applier.js';
import { LAST_GOOD_FILE, type LastGood } from '../../src/live/last-good.js';
import { LiveConfig } from '../../src/live/live-config.js';
import { findStartConfig, type StartConfig } from '../../src/live/start-config.js';

/** A configuration in effect, with a file and a data folder of its own. */
export interface Started {
  readonly live: LiveConfig;
  readonly start: StartConfig;
  readonly file: string;
  readonly folder: string;
  /** What was logged, newest last. */
  readonly logged: string[];
  /** Writes the file; a text as it is. */
  put(config: object | string): void;
  kept(): LastGood;
  /** As a new process would find it. */
  restart(): Promise<Started>;
}

/** Starts with a configuration, of which the data folder is filled in. */
export async function startLive(
  t: Test,
  config: Record<string, unknown>,
  appliers: readonly Applier[],
): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-live-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'config.json');
  writeConfig(file, folder, config);
  return begin(file, folder, appliers);
}

function writeConfig(file: string, folder: string, config: object | string): void {
  const store = { checkpoints: { directory: folder } };
  const text =
    typeof config === 'string' ? config : JSON.stringify({ 'metric-store': store, ...config });
  writeFileSync(file, text);
}

async function begin(file: string, folder: string, appliers: readonly Applier[]): Promise<Started> {
  const logged: string[] = [];
  const say = (fields: object, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log = { debug: () => undefined, info: say, warn: say, error: say };
  const flags = parseFlags(['-config', file]);
  const start = await findStartConfig(flags);
  return {
    live: new LiveConfig({ start, flags, appliers, log }),
    start,
    file,
    folder,
    logged,
    put: (config) => writeConfig(file, folder, config),
    kept: () => JSON.parse(readFileSync(join(folder, LAST_GOOD_FILE), 'utf8')) as LastGood,
    restart: () => begin(file, folder, appliers),
  };
}
