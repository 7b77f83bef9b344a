#!/usr/bin/env -S node --max-semi-space-size=4
import { readFileSync } from 'node:fs';
import { pino, stdTimeFunctions } from 'pino';
import { authPart } from './auth/auth-part.js';
import { TokenVerifier } from './auth/token-verifier.js';
import type { Config } from './config/config.js';
import { NodeProvider } from './backend/node-provider.js';
import { loadConfig } from './config/parse-config.js';
import { AuditGate } from './http/audit-gate.js';
import { AuthGate } from './http/auth-gate.js';
import { CertificateGate } from './http/certificate-gate.js';
import { answerStarting, makeHandler } from './http/handler.js';
import type { ProgramPart } from './http/program-part.js';
import { RateGate } from './http/rate-gate.js';
import { newTraffic, startHttpServer, type HttpHandler } from './http/server.js';
import type { NatsClient, NatsOptions } from './nats/nats.js';
import { isS3 } from './object-store/location.js';
import { dropPrivileges } from './process/privileges.js';
import { startStore } from './routing/shard-set.js';
import { EXIT_CODES, startFailure } from './service/exit-codes.js';
import { endOnUncaught } from './service/last-words.js';
import { ServiceManager } from './service/service-manager.js';
import { TlsFiles } from './tls/tls-files.js';
import { readTls, type TlsMaterial } from './tls/tls-material.js';

const PINO_LEVELS = { debug: 'debug', info: 'info', warn: 'warn', err: 'error', crit: 'fatal' };

/** Reads the configuration, starts shards and front, and stops them on a signal. */
async function main(): Promise<void> {
  const { config, warnings, showVersion, cleanUp } = loadConfig(process.argv.slice(2));
  if (showVersion) {
    process.stdout.write(`metricshard ${version()}\n`);
    return;
  }
  if (cleanUp) {
    // Loaded here only: no start should wait for it.
    const { cleanUpCheckpoints } = await import('./routing/clean-up.js');
    await cleanUpCheckpoints(config.store, Date.now(), (line) => console.log(line));
    return;
  }
  const log = pino({
    level: PINO_LEVELS[config.logLevel],
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
  endOnUncaught(log);
  for (const warning of warnings) log.warn({}, warning);
  // Before there are shards: it starts a process, which costs the more the larger this one is.
  const service = new ServiceManager(process.env, log);
  // Changed in place when the configuration changes: whoever reads a limit reads it here.
  const limits = { ...config.limits };
  // Before anything is started: a key that cannot be read is a wrong configuration.
  const verifier = new TokenVerifier(config.auth, { limits, log });
  const traffic = newTraffic();
  // The port and the key of the certificate may be root's, but nothing that follows.
  const tls = readTls(config.transport);
  let handler: HttpHandler = answerStarting;
  const answer: HttpHandler = (exchange) => handler(exchange);
  const server = await startHttpServer({ config, limits, tls, handler: answer, traffic, log });
  dropPrivileges(config.transport);
  const nodes = new NodeProvider({
    config: config.backend,
    retentionSec: () => config.store.retentionSec,
    apply: (hosts) => store.setHostsInUse(hosts),
    log,
  });
  const store = await startStore(config.store, limits, log, nodes.hosts);
  nodes.start();
  const authGate = new AuthGate(verifier, limits.collectedBytesMax);
  const rateGate = new RateGate(new CertificateGate(authGate, verifier, () => config), limits);
  const parts: ProgramPart[] = [authPart(verifier), rateGate, nodes];
  if (tls) {
    const renew = (material: TlsMaterial): void => server.renewTls(material);
    const tlsFiles = new TlsFiles({ material: tls, renew, log, now: Date.now });
    tlsFiles.start();
    parts.push(tlsFiles);
  }
  handler = makeHandler({ store, limits, traffic, gate: new AuditGate(rateGate, log), parts });
  const nats = await natsOf(config, { store, limits, log, verifier });
  if (nats) parts.push(nats);
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) process.exit(EXIT_CODES.failed);
    isStopping = true;
    service.stopping();
    log.info({}, `${signal}: answering what is under way, then stopping`);
    nodes.stop();
    Promise.all([server.close(), nats?.stop()])
      .then(() => store.stop())
      .then(
        () => process.exit(EXIT_CODES.done),
        (error: unknown) => {
          log.error({ error: String(error) }, 'stopping failed');
          process.exit(EXIT_CODES.failed);
        },
      );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  const listens = `listens on ${tls ? 'https' : 'http'}://${config.listen.host}:${server.port}`;
  service.readyWhen(() => store.status().ready, listens);
  // Last, since whoever reads this line may send a signal at once.
  log.info(
    {
      adapter: server.adapter,
      pid: process.pid,
      node: process.version,
      workingFolder: process.cwd(),
    },
    `metricshard ${version()} ${listens} and keeps ${keeps(config)}`,
  );
}

/** Loaded where it is asked for only: no other start should wait for it. */
async function natsOf(config: Config, options: NatsOptions): Promise<NatsClient | undefined> {
  if (config.nats.servers.length === 0) return undefined;
  const { startNats } = await import('./nats/nats.js');
  return startNats(config.nats, options);
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

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

main().catch((error: unknown) => {
  const { code, line } = startFailure(error);
  process.stderr.write(`metricshard: ${line}\n`);
  process.exit(code);
});
