import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ReadClusters } from '../config/cluster-files.js';
import { DEFAULTS, type Config } from '../config/config.js';
import { checkDocument, type ConfigDocument } from '../config/document.js';
import type { Flags } from '../config/flags.js';
import { applyMergePatch } from '../config/merge-patch.js';
import { FILE_DEFAULT, parseConfig, readConfigFile, withLogLevel } from '../config/parse-config.js';
import type { Overlay } from '../config/settings.js';
import { isObject } from '../config/tolerant.js';
import { isS3 } from '../object-store/location.js';
import type { BackendClusters } from './backend-clusters.js';

/** How long a start or a change waits for cc-backend. */
const BACKEND_WAIT_MS = 2000;

/** One configuration, and what it is made of. */
export interface ConfigState {
  /** What the file says; undefined: there is no file. */
  readonly fileDocument: ConfigDocument | undefined;
  /** What came over the network, on top of it. */
  readonly overlay: Overlay | undefined;
  /** Both together. */
  readonly document: ConfigDocument;
  readonly config: Config;
  readonly clusterOrigins: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** What a state is made from. */
export interface StateParts {
  readonly flags: Flags;
  readonly fileDocument: ConfigDocument | undefined;
  readonly overlay: Overlay | undefined;
  readonly backend: BackendClusters;
  /** Whether cc-backend is asked even where its last answer is there. */
  readonly asksBackend: boolean;
  /** Descriptions of clusters in place of those of files and cc-backend. */
  readonly keptClusters?: ReadClusters;
}

/** Checks and builds all of it. Throws ConfigError with everything that is wrong. */
export async function buildState(parts: StateParts): Promise<ConfigState> {
  const { flags, fileDocument, overlay, backend, asksBackend, keptClusters: kept } = parts;
  const base = fileDocument ?? {};
  const document = overlay ? (applyMergePatch(base, overlay.patch) as ConfigDocument) : base;
  let parsed = parseConfig(document, { kept });
  const problems: string[] = [];
  const { backend: asked } = parsed.config;
  if (!kept && asked.readsClusters && asked.url !== '') {
    if (asksBackend || !backend.of(asked)) {
      const problem = await backend.ask(asked, BACKEND_WAIT_MS);
      const instead = backend.of(asked) ? 'its last answer holds' : 'its clusters are not known';
      if (problem !== '') problems.push(`clusters of cc-backend: ${problem}; ${instead}`);
    }
    parsed = parseConfig(document, { backend: backend.of(asked) });
  }
  return {
    fileDocument,
    overlay,
    document,
    config: withLogLevel(parsed.config, flags.logLevel),
    clusterOrigins: parsed.clusterOrigins,
    warnings: [...parsed.warnings, ...problems],
  };
}

/** Path of the file that is read, whether it is there or not. */
export function configPath(flags: Flags): string {
  return resolve(flags.configFile ?? FILE_DEFAULT);
}

/** What the file says; undefined if there is none and none was named. Throws ConfigError. */
export function readDocument(flags: Flags): ConfigDocument | undefined {
  const value = readConfigFile(flags.configFile);
  return value === undefined ? undefined : checkDocument(value, configPath(flags));
}

/** Folder on this machine where a configuration keeps its data; '' = none. */
export function dataFolderOf(document: ConfigDocument): string {
  const checkpoints = sectionOf(sectionOf(document, 'metric-store'), 'checkpoints');
  return localFolder(checkpoints.directory, sectionOf(document, 'metricshard')['local-directory']);
}

/**
 * The same of a file that is no JSON, to find what was kept of the last one that was: read as well as
 * it can be.
 */
export function dataFolderOfBroken(flags: Flags): string {
  let text = '';
  try {
    text = readFileSync(configPath(flags), 'utf8');
  } catch {
    // It is not there: the default holds.
  }
  const directory = textOf(text, /"checkpoints"\s*:\s*\{[^{}]*?"directory"\s*:\s*("[^"\n]*")/);
  return localFolder(directory, textOf(text, /"local-directory"\s*:\s*("[^"\n]*")/));
}

function localFolder(directory: unknown, localDirectory: unknown): string {
  const defaults = DEFAULTS.store.checkpoints;
  const place = typeof directory === 'string' ? directory : defaults.directory;
  if (!isS3(place)) return place;
  return typeof localDirectory === 'string' ? localDirectory : defaults.localDirectory;
}

function textOf(text: string, pattern: RegExp): string | undefined {
  const found = pattern.exec(text)?.[1];
  try {
    return found === undefined ? undefined : (JSON.parse(found) as string);
  } catch {
    return undefined;
  }
}

/** A part of a document that may be any JSON. */
function sectionOf(document: ConfigDocument, name: string): ConfigDocument {
  const section = document[name];
  return isObject(section) ? section : {};
}
