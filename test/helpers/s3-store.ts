import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { becomesReady, durable, filesBelow } from './durable.js';
import { load, type Ledger } from './ledger.js';
import { eventually } from './metrics.js';
import { S3_BUCKET, S3_ENV, S3Server } from './s3-server.js';
import { startServer, type TestServer } from './server.js';

export const WRITERS = 2;
export const LOCATION = `s3://${S3_BUCKET}/some/store`;
export const PREFIX = 'some/store/';

/** A store that copies its checkpoints to a test server. */
export function onS3(
  s3: S3Server,
  localDirectory: string,
  shards = 1,
  settings: object = {},
): Record<string, unknown> {
  return {
    ...durable(LOCATION, shards),
    metricshard: {
      shards,
      'local-directory': localDirectory,
      s3: { endpoint: s3.endpoint, attempts: 1, 'stop-wait-sec': 5, ...settings },
    },
  };
}

export async function start(
  t: Test,
  config: Record<string, unknown>,
  env: Record<string, string> = S3_ENV,
): Promise<TestServer> {
  const server = await startServer(config, { env });
  t.teardown(() => server.kill());
  return server;
}

/** Waits until it serves. */
export async function startReady(
  t: Test,
  config: Record<string, unknown>,
  env: Record<string, string> = S3_ENV,
): Promise<TestServer> {
  const server = await start(t, config, env);
  t.ok(await becomesReady(server), 'it serves');
  return server;
}

export async function testServer(t: Test): Promise<S3Server> {
  const s3 = await S3Server.start();
  t.teardown(() => s3.down());
  return s3;
}

export async function fill(server: TestServer, ledger: Ledger, bodies = 20): Promise<void> {
  let sent = 0;
  await load(server, ledger, WRITERS, () => sent++ >= bodies);
}

export async function checkpoint(t: Test, server: TestServer): Promise<void> {
  const { status, text } = await server.post('/api/v2/admin/checkpoint', '');
  t.equal(status, 200, text);
}

// oxlint-disable-next-line typescript/no-explicit-any
export async function mirrorOf(server: TestServer): Promise<any> {
  return (await server.get('/api/v2/status')).json.mirror;
}

export function becomes(server: TestServer, state: string): Promise<boolean> {
  return eventually(async () => (await mirrorOf(server)).state === state);
}

/** Everything that is published in the folder is on S3, and nothing else is. */
export function isCopied(s3: S3Server, folder: string): boolean {
  const local = filesBelow(folder)
    .map((line) => line.split(' ')[0]!)
    .filter((name) => /^(STORE|epoch-.*\/(MANIFEST|series-\d+m*|blocks-\d+m*))$/.test(name));
  const there = [...s3.objects.keys()]
    .map((key) => key.slice(PREFIX.length))
    .filter((key) => key !== 'OWNER');
  if (local.toSorted().join() !== there.toSorted().join()) return false;
  return local.every((name) => {
    const object = s3.objects.get(PREFIX + name)!;
    return object.bytes.equals(readFileSync(join(folder, name)));
  });
}

export function becomesCopied(s3: S3Server, folder: string): Promise<boolean> {
  return eventually(() => {
    try {
      return isCopied(s3, folder);
    } catch {
      // A file went while it was looked at.
      return false;
    }
  }, 20_000);
}
