import { ConfigError } from '../config/config-error.js';
import type { ConfigDocument } from '../config/document.js';
import type { Flags } from '../config/flags.js';
import { BackendClusters } from './backend-clusters.js';
import {
  buildState,
  configPath,
  dataFolderOf,
  dataFolderOfBroken,
  readDocument,
  type ConfigState,
} from './config-state.js';
import { readLastGood, type LastGood } from './last-good.js';

/** What a start found. */
export interface StartConfig {
  readonly state: ConfigState;
  /** What an earlier process kept. */
  readonly lastGood: LastGood | undefined;
  /** Where this one keeps it; '' = nowhere. */
  readonly folder: string;
  readonly backend: BackendClusters;
  /** Why the last good configuration is in effect in place of the file; '' = it is not. */
  readonly problem: string;
  readonly warnings: readonly string[];
  /** When files were read. */
  readonly readAtMs: number;
}

/**
 * Finds the configuration to start with: the file, with what came over the network on top of it. If
 * that can not be used, the last good one is, as long as there is one.
 *
 * @throws ConfigError with everything that is wrong, if there is none.
 */
export async function findStartConfig(flags: Flags): Promise<StartConfig> {
  const readAtMs = Date.now();
  const warnings: string[] = [...flags.warnings];
  const backend = new BackendClusters();
  let fileDocument: ConfigDocument | undefined;
  let broken: ConfigError | undefined;
  try {
    fileDocument = readDocument(flags);
  } catch (error) {
    broken = asConfigError(error);
  }
  const folder = broken ? dataFolderOfBroken(flags) : dataFolderOf(fileDocument ?? {});
  const lastGood = readLastGood(folder, configPath(flags), (message) => warnings.push(message));
  backend.load(folder);
  const common = { lastGood, folder, backend, readAtMs };
  const base = { flags, backend };
  if (!broken) {
    const overlay = lastGood?.overlay;
    try {
      const state = await buildState({ ...base, fileDocument, overlay, asksBackend: true });
      return { ...common, state, problem: '', warnings: [...warnings, ...state.warnings] };
    } catch (error) {
      broken = asConfigError(error);
    }
  }
  if (!lastGood) throw broken;
  const state = await buildState({
    ...base,
    fileDocument: lastGood.fileDocument ?? undefined,
    overlay: lastGood.overlay,
    asksBackend: false,
    keptClusters: { ...lastGood.clusters, warnings: [] },
  });
  const problem = `${broken.message}\n  the last good one, of ${lastGood.at}, is in effect instead`;
  return { ...common, state, problem, warnings: [...warnings, ...state.warnings] };
}

function asConfigError(error: unknown): ConfigError {
  if (error instanceof ConfigError) return error;
  throw error;
}
