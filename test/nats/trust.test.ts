import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import t, { type Test } from 'tap';
import { NATS_DEFAULTS, type NatsConfig } from '../../src/config/nats-config.js';
import { connectOptions } from '../../src/nats/connect-options.js';
import { NatsLink, type LinkStatus } from '../../src/nats/link.js';
import { eventually } from '../helpers/metrics.js';
import { natsFolder, startNatsServer } from '../helpers/nats-server.js';
import { natsStatus, samplesOf, startNatsStore, untilActive } from '../helpers/nats-store.js';
import { makeCertificates, makeDecentralTrust, makeNkey } from '../helpers/nats-trust.js';

const FROM = 1_790_000_040;
const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** How a link with some settings fares: its state when it is connected, or has failed. */
async function fare(settings: Partial<NatsConfig>): Promise<LinkStatus> {
  const link = new NatsLink(
    { ...NATS_DEFAULTS, ...settings },
    { log: QUIET, payloadBytesMax: () => 1000, onLines: () => {}, onLost: () => {} },
  );
  link.start();
  await eventually(() => link.status().state !== 'connecting', 15_000);
  const status = link.status();
  await link.stop();
  return status;
}

interface Kind {
  readonly name: string;
  readonly config: (folder: string) => {
    readonly server: string;
    readonly good: Partial<NatsConfig>;
    readonly wrong: readonly (readonly [
      what: string,
      settings: Partial<NatsConfig>,
      why: RegExp,
    ])[];
  };
}

const VIOLATION = /authorization violation/i;

const KINDS: readonly Kind[] = [
  {
    name: 'user and password',
    config: () => ({
      server: 'authorization { user: store, password: "s3cret" }',
      good: { username: 'store', password: 's3cret' },
      wrong: [
        ['nothing', {}, VIOLATION],
        ['another password', { username: 'store', password: 'x' }, VIOLATION],
        ['another user', { username: 'x', password: 's3cret' }, VIOLATION],
      ],
    }),
  },
  {
    name: 'token',
    config: () => ({
      server: 'authorization { token: "t0ken" }',
      good: { token: 't0ken' },
      wrong: [['another token', { token: 'x' }, VIOLATION]],
    }),
  },
  {
    name: 'nkey',
    config: (folder) => {
      const mine = makeNkey(folder, 'mine');
      const other = makeNkey(folder, 'other');
      const empty = join(folder, 'empty.nk');
      writeFileSync(empty, 'nothing\n');
      return {
        server: `authorization { users: [ { nkey: ${mine.publicKey} } ] }`,
        good: { nkeySeedFile: mine.seedFile },
        wrong: [
          ['another key', { nkeySeedFile: other.seedFile }, VIOLATION],
          ['no file', { nkeySeedFile: `${folder}/none` }, /nkey-seed-file: cannot read ".*ENOENT/],
          ['no seed', { nkeySeedFile: empty }, /nkey-seed-file: ".*" has no line with a seed/],
        ],
      };
    },
  },
  {
    name: 'credentials file',
    config: (folder) => {
      const { serverConfig, credentialsFile, strangerFile } = makeDecentralTrust(folder);
      const broken = join(folder, 'broken.creds');
      writeFileSync(broken, 'nothing\n');
      return {
        server: serverConfig,
        good: { credentialsFile },
        wrong: [
          ['of a stranger', { credentialsFile: strangerFile }, VIOLATION],
          ['none', {}, VIOLATION],
          ['broken', { credentialsFile: broken }, /creds-file-path: ".*" lacks a JWT/],
          ['no file', { credentialsFile: `${folder}/none` }, /creds-file-path: cannot read/],
        ],
      };
    },
  },
  {
    name: 'TLS with a client certificate',
    config: (folder) => {
      const { ca, server, client } = makeCertificates(folder);
      const strange = join(folder, 'stranger');
      mkdirSync(strange);
      const stranger = makeCertificates(strange);
      const own = { certFile: client.cert, keyFile: client.key };
      return {
        server: `tls { cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${ca}", verify: true }`,
        good: { caFile: ca, ...own },
        wrong: [
          ['no CA', own, /certificate/i],
          ['another CA', { caFile: stranger.ca, ...own }, /certificate/i],
          ['no certificate', { caFile: ca }, /cannot connect|connection lost/],
          [
            'certificate of another CA',
            { caFile: ca, certFile: stranger.client.cert, keyFile: stranger.client.key },
            /cannot connect|connection lost/,
          ],
          ['no file', { caFile: `${folder}/none` }, /nats\.ca-file: cannot read/],
        ],
      };
    },
  },
];

for (const { name, config } of KINDS) {
  t.test(name, async (t: Test) => {
    const folder = natsFolder();
    const { server: serverConfig, good, wrong } = config(folder);
    const server = await startNatsServer({ folder, config: serverConfig });
    t.teardown(() => server.remove());
    const servers = [server.url];
    const { state, lastError } = await fare({ servers, ...good });
    t.same([state, lastError], ['connected', '']);
    for (const [what, settings, why] of wrong) {
      const failed = await fare({ servers, ...settings });
      t.equal(failed.state, 'disconnected', what);
      t.match(failed.lastError, why, what);
    }
  });
}

t.test('TLS is not given up where the server has none', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.remove());
  const { state, lastError } = await fare({ servers: [`tls://127.0.0.1:${server.port}`] });
  t.equal(state, 'disconnected');
  t.match(lastError, /tls/i);
  const named = `nats://me:mine@127.0.0.1:${server.port}`;
  t.equal((await fare({ servers: [named] })).state, 'connected', 'a user in the address');
});

t.test('a store reads over TLS with credentials', async (t) => {
  const folder = natsFolder();
  const { ca, server: ours, client } = makeCertificates(folder);
  const trust = makeDecentralTrust(folder);
  const tls = `tls { cert_file: "${ours.cert}", key_file: "${ours.key}", ca_file: "${ca}", verify: true }`;
  const server = await startNatsServer({ folder, config: tls + '\n' + trust.serverConfig });
  t.teardown(() => server.remove());
  const settings = {
    address: `tls://127.0.0.1:${server.port}`,
    'ca-file': ca,
    'cert-file': client.cert,
    'key-file': client.key,
    'creds-file-path': trust.credentialsFile,
  };
  const store = await startNatsStore(t, settings, [{ 'subscribe-to': 'm', 'cluster-tag': 'c' }]);
  await untilActive(t, store);
  const connection = await connect(
    connectOptions({
      ...NATS_DEFAULTS,
      servers: [settings.address],
      caFile: ca,
      certFile: client.cert,
      keyFile: client.key,
      credentialsFile: trust.credentialsFile,
    }),
  );
  connection.publish('m', `load,hostname=h value=5 ${FROM}`);
  await connection.flush();
  await connection.close();
  const load = { cluster: 'c', host: 'h', metric: 'load' };
  await eventually(async () => (await samplesOf(store, load, FROM, 1)).length > 0);
  t.same(await samplesOf(store, load, FROM, 1), [5]);
});

t.test('wrong credentials: the state tells why, HTTP goes on', async (t) => {
  const config =
    'authorization { users: [ { user: store, password: right, permissions: { subscribe: ["_INBOX.>", "ok.>"] } } ] }';
  const server = await startNatsServer({ config });
  t.teardown(() => server.remove());
  const subscriptions = [{ 'subscribe-to': 'secret.>' }, { 'subscribe-to': 'ok.>' }];
  const wrong = { address: server.url, username: 'store', password: 'left' };
  const refused = await startNatsStore(t, wrong, subscriptions);
  await eventually(async () => (await natsStatus(refused)).state === 'disconnected');
  const status = await natsStatus(refused);
  t.match(status.lastError, VIOLATION);
  t.same(
    status.subscriptions.map(({ state }) => state),
    ['waiting', 'waiting'],
  );
  t.equal((await refused.write(`load,cluster=c,hostname=h value=1 ${FROM}`)).status, 200);
  const warnings = refused
    .output()
    .split('\n')
    .filter((line) => line.includes('no connection'));
  t.equal(warnings.length, 1, 'told once');
  t.notMatch(refused.output(), /left/, 'without the password');

  const store = await startNatsStore(t, { ...wrong, password: 'right' }, subscriptions);
  await eventually(async () => (await natsStatus(store)).subscriptions[0]!.state === 'failing');
  const [secret, ok] = (await natsStatus(store)).subscriptions;
  t.match(secret!.problem, /permissions violation/i, 'a subject that it may not have');
  t.equal(ok!.state, 'active', 'does not harm the others');
});
