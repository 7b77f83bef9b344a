import type { Logger } from '../model/logger.js';
import { configPath } from './config-state.js';
import type { Flags } from '../config/flags.js';
import type { Wish } from '../config/change.js';
import type { LiveConfig } from './live-config.js';
import { watchFiles } from './watch-files.js';

/** A question to cc-backend that failed is asked again after this, or at the usual time if that is sooner. */
const RETRY_SEC = 30;

/** What asks for changes from this machine: SIGHUP, files that change, and the clock for cc-backend. */
export interface LocalSources {
  stop(): void;
}

/** Who is told when SIGHUP is being followed, and when that is done: systemd. */
export interface ReloadListener {
  reloading(): void;
  reloaded(): void;
}

export interface LocalSourcesOptions {
  readonly flags: Flags;
  readonly log: Logger;
  /** When files were read at the start. */
  readonly readAtMs: number;
  readonly service?: ReloadListener | undefined;
}

export function startLocalSources(
  live: LiveConfig,
  { flags, log, readAtMs, service }: LocalSourcesOptions,
): LocalSources {
  const ask = async (wish: Wish, source: string): Promise<void> => {
    try {
      await live.change({ wish, source });
    } catch (error) {
      log.warn({ source }, (error as Error).message);
    }
  };
  const reload = (source: string): Promise<void> => ask({ kind: 'reload' }, source);
  let isOver = false;
  const hangUp = (): void => {
    if (isOver) return;
    service?.reloading();
    void reload('SIGHUP').finally(() => service?.reloaded());
  };
  process.on('SIGHUP', hangUp);
  const stopWatching = watchFiles({
    paths: () => ({ file: configPath(flags), clusters: clusterPaths(live) }),
    readAtMs,
    isOn: () => live.state.config.watchesConfig,
    onChange: (files) => void reload(`changed files: ${files.join(', ')}`),
  });
  const stopAsking = askBackend(live, () => ask({ kind: 'backend' }, 'clusters of cc-backend'));
  return {
    stop: () => {
      // It goes on to listen: without that the signal would end the process amid its stop.
      isOver = true;
      stopWatching();
      stopAsking();
    },
  };
}

/** As the document names them. */
function clusterPaths({ state }: LiveConfig): readonly string[] {
  const own = state.document['metricshard'] as
    { readonly clusters?: readonly string[] } | undefined;
  return own?.clusters ?? [];
}

/** Looks once a second whether it is time: the interval may change, and a change may have asked. */
function askBackend(live: LiveConfig, ask: () => Promise<void>): () => void {
  let isAsking = false;
  let askedAtMs = Date.now();
  let questions = live.backend.status().questions;
  const timer = setInterval(() => {
    const { backend } = live.state.config;
    if (isAsking || !backend.readsClusters || backend.url === '') return;
    const status = live.backend.status();
    if (status.questions !== questions) {
      questions = status.questions;
      askedAtMs = Date.now();
    }
    const usual = backend.clustersIntervalSec;
    const intervalSec = status.problem === '' ? usual : Math.min(usual, RETRY_SEC);
    if (Date.now() - askedAtMs < intervalSec * 1000) return;
    isAsking = true;
    void ask().finally(() => (isAsking = false));
  }, 1000);
  timer.unref();
  return () => clearInterval(timer);
}
