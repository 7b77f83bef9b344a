import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Callers } from './auth/callers.js';
import { TokenVerifier } from './auth/token-verifier.js';
import { NodeProvider } from './backend/node-provider.js';
import type { Config, Limits } from './config/config.js';
import type { Flags } from './config/flags.js';
import { EventStreams } from './http/event-streams.js';
import { makeGates } from './http/gates.js';
import { answerStarting, makeHandler } from './http/handler.js';
import type { ProgramPart } from './http/program-part.js';
import { RequestTimes } from './http/request-times.js';
import {
  newTraffic,
  startHttpServer,
  type HttpHandler,
  type HttpServer,
  type Traffic,
} from './http/server.js';
import { HealthPart } from './health/health-part.js';
import {
  authApplier,
  backendApplier,
  certificateApplier,
  limitsApplier,
  logLevelApplier,
  READ_ANEW,
  storeApplier,
  subscriptionsApplier,
} from './live/standard-appliers.js';
import { findStartConfig, type StartConfig } from './live/start-config.js';
import { startLiveConfig, type RunningConfig } from './live/start-live.js';
import type { NatsClient } from './nats/nats.js';
import { isS3 } from './object-store/location.js';
import { needsRestart } from './routing/restart-settings.js';
import type { ShardSet } from './routing/shard-set.js';
import { beginStore } from './routing/start-store.js';
import { begunThreadLoaded } from './routing/thread-pool.js';
import { collectSooner } from './service/collector.js';
import { EXIT_CODES } from './service/exit-codes.js';
import { endOnUncaught } from './service/last-words.js';
import { LogTail } from './service/log-tail.js';
import { makeLog, PINO_LEVELS } from './service/log.js';
import { assertWritable, dropPrivileges } from './service/privileges.js';
import { ServiceManager } from './service/service-manager.js';
import { version } from './service/version.js';
import { TlsFiles } from './tls/tls-files.js';
import { Telemetry } from './telemetry/telemetry.js';
import { readTls, type TlsMaterial } from './tls/tls-material.js';
import { pagesPart } from './web/page-routes.js';

/** What the parts of a running program share. */
interface Common {
  readonly config: Config;
  /** Changed in place when the configuration changes: whoever reads a limit reads it here. */
  readonly limits: Limits;
  readonly log: Logger;
  readonly verifier: TokenVerifier;
}

/** Starts all parts of the program in their order, and has signals stop them. */
export async function startProgram(flags: Flags): Promise<void> {
  const start = await findStartConfig(flags);
  const { config } = start.state;
  const tail = new LogTail();
  const log = beginLog(start, tail);
  // Before there are shards: it starts a process, which costs the more the larger this one is.
  const service = new ServiceManager(process.env, log);
  const limits = { ...config.limits };
  // Before anything is started: a key that cannot be read is a wrong configuration.
  const verifier = new TokenVerifier(config.auth, { limits, log });
  const callers = new Callers(verifier, config.auth, { limits, log });
  const common: Common = { config, limits, log, verifier };
  const traffic = newTraffic();
  // The port and the key of the certificate may be root's, but nothing that follows.
  const tls = readTls(config.transport);
  let handler: HttpHandler = answerStarting;
  const answer: HttpHandler = (exchange) => handler(exchange);
  const server = await startHttpServer({ config, limits, tls, handler: answer, traffic, log });
  becomeUser(config, log);

  const tlsFiles = tls && watchTls(tls, server, log);
  const nodes = new NodeProvider({
    config: config.backend,
    retentionSec: () => running.live.state.config.store.retentionSec,
    apply: (hosts) => store.setHostsInUse(hosts),
    log,
  });
  const { store, started } = beginStore(config.store, limits, log, nodes.hosts);
  // Shards are told to begin before the rest is put together.
  await nextTurn();
  const appliers = [
    storeApplier(store, needsRestart),
    authApplier(callers),
    backendApplier([nodes]),
    ...(tlsFiles ? [certificateApplier(tlsFiles)] : []),
    READ_ANEW,
    limitsApplier(limits),
    logLevelApplier((level) => (log.level = PINO_LEVELS[level])),
  ];
  // Its folder is the store's now.
  const running = startLiveConfig({ start, flags, limits, log, appliers, service });
  nodes.start();
  const { adapter } = server;
  const begun = { callers, store, nodes, running, tlsFiles, traffic, tail, adapter };
  const { answerAll, parts, health, telemetry, events } = assemble(common, begun);
  // What threads need is loaded, and what will be garbage has not been made yet.
  void begunThreadLoaded().then(collectSooner);
  // All of this is there by then.
  await started;
  handler = answerAll;
  const nats = await natsOf(common, store, running, health);
  if (nats) parts.push(nats);

  const stop = async (): Promise<void> => {
    service.stopping();
    for (const part of [running, nodes, tlsFiles, telemetry, events]) part?.stop();
    await Promise.all([server.close(), nats?.stop()]);
    await store.stop();
  };
  stopOnSignal(stop, log);
  const { host } = config.listen;
  const listens = `listens on ${tls ? 'https' : 'http'}://${host}:${server.port}`;
  service.readyWhen(() => store.status().ready, listens);
  // Last, since whoever reads this line may send a signal at once.
  announce(common, adapter, listens);
}

/** Makes the log, which begins with what is to be said of the configuration. */
function beginLog({ state, warnings, problem }: StartConfig, tail: LogTail): Logger {
  const log = makeLog(state.config, tail);
  endOnUncaught(log);
  for (const warning of warnings) log.warn({}, warning);
  if (problem !== '') log.error({}, problem);
  return log;
}

/** What has begun when the rest is put together. */
interface Begun {
  readonly callers: Callers;
  readonly store: ShardSet;
  readonly nodes: NodeProvider;
  readonly running: RunningConfig;
  readonly tlsFiles: TlsFiles | undefined;
  readonly traffic: Traffic;
  readonly tail: LogTail;
  readonly adapter: string;
}

/** What answers requests, and what watches the store. */
interface Assembled {
  readonly answerAll: HttpHandler;
  readonly parts: ProgramPart[];
  readonly health: HealthPart;
  readonly telemetry: Telemetry;
  readonly events: EventStreams;
}

/** Puts together what needs no data: the shards restore theirs meanwhile. */
function assemble({ config, limits, log }: Common, begun: Begun): Assembled {
  const { callers, store, nodes, running, tlsFiles, traffic, tail, adapter } = begun;
  const current = (): Config => running.live.state.config;
  const { gate, parts: told } = makeGates({ callers, limits, log, config: current });
  const events = new EventStreams(limits);
  const health = new HealthPart({ store, events, config: current, log });
  const parts: ProgramPart[] = [...told, nodes, running.part, health];
  if (tlsFiles) parts.push(tlsFiles);
  if (config.web.isEnabled) parts.push(pagesPart());
  const requests = new RequestTimes();
  const seen = { store, requests, traffic, parts, events, adapter };
  const telemetry = new Telemetry({ ...seen, tail, log, current });
  parts.push(telemetry);
  telemetry.start();
  const { slow } = telemetry;
  const answers = { store, limits, traffic, gate, parts, requests, slow, own: telemetry };
  const answerAll = makeHandler({ ...answers, config: running.part });
  return { answerAll, parts, health, telemetry, events };
}

function announce({ config, log }: Common, adapter: string, listens: string): void {
  const { pid, version: node } = process;
  log.info(
    { adapter, pid, node, workingFolder: process.cwd() },
    `metricshard ${version()} ${listens} and keeps ${keeps(config)}`,
  );
}

/** Changes to the user of the configuration, for good. */
function becomeUser({ transport, store: { archive } }: Config, log: Logger): void {
  if (!dropPrivileges(transport)) return;
  log.info({ uid: process.getuid?.(), gid: process.getgid?.() }, 'privileges are dropped');
  if (archive) assertWritable(archive.directory, 'metric-store.cleanup.directory');
}

/** Has the server take a certificate whose files change. */
function watchTls(material: TlsMaterial, server: HttpServer, log: Logger): TlsFiles {
  const renew = (next: TlsMaterial): void => server.renewTls(next);
  const files = new TlsFiles({ material, renew, log, now: Date.now });
  files.start();
  return files;
}

/** Loaded where it is asked for only: no other start should wait for it. */
async function natsOf(
  { config, limits, log, verifier }: Common,
  store: ShardSet,
  running: RunningConfig,
  health: HealthPart,
): Promise<NatsClient | undefined> {
  if (config.nats.servers.length === 0) return undefined;
  const { startNats } = await import('./nats/nats.js');
  const nats = startNats(config.nats, { store, limits, log, verifier });
  running.live.addApplier(subscriptionsApplier(nats));
  running.followNats(nats);
  health.publishTo(nats);
  return nats;
}

function stopOnSignal(stop: () => Promise<void>, log: Logger): void {
  let isStopping = false;
  const onSignal = (signal: string): void => {
    if (isStopping) process.exit(EXIT_CODES.failed);
    isStopping = true;
    log.info({}, `${signal}: answering what is under way, then stopping`);
    stop().then(
      () => process.exit(EXIT_CODES.done),
      (error: unknown) => {
        log.error({ error: String(error) }, 'stopping failed');
        process.exit(EXIT_CODES.failed);
      },
    );
  };
  process.on('SIGTERM', () => onSignal('SIGTERM'));
  process.on('SIGINT', () => onSignal('SIGINT'));
}

function keeps({ store }: Config): string {
  const names = Object.keys(store.metrics);
  const what = names.includes('*') ? 'any metric' : `${names.length} metrics`;
  const hours = store.retentionSec / 3600;
  const cap = store.memoryCapBytes ? `${store.memoryCapBytes} bytes` : 'no cap';
  const { directory, localDirectory } = store.checkpoints;
  const disk = isS3(directory)
    ? `${localDirectory}, checkpoints also in ${directory}`
    : directory || 'not at all';
  return `${what} for ${hours} h in ${store.shardCount} shard(s), memory: ${cap}, on disk: ${disk}`;
}
