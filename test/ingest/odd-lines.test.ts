import t, { type Test } from 'tap';
import { freezeDeep } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/parse-config.js';
import type { ShardSet } from '../../src/routing/shard-set.js';
import { startStore } from '../../src/routing/start-store.js';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const GOOD = 'm,cluster=c,hostname=h1 value=1 1790000000';

async function start(t: Test, shards: number): Promise<ShardSet> {
  const { config } = parseConfig({
    metrics: { m: { frequency: 60, aggregation: 'sum' } },
    'metric-store': { checkpoints: { directory: '' } },
    metricshard: { shards, 'retention-enforced': false },
  });
  const store = await startStore(freezeDeep(config).store, config.limits, quiet);
  t.teardown(() => store.stop());
  return store;
}

function query(store: ShardSet, host: string): Promise<string> {
  const queries = [{ metric: 'm', host }];
  const request = { cluster: 'c', from: 1_790_000_000 - 60, to: 1_790_000_000 + 60, queries };
  return new Promise((resolve) => {
    store.query(JSON.stringify(request), (answer) =>
      resolve(answer.ok ? Buffer.from(answer.json).toString() : answer.error.message),
    );
  });
}

t.test('a line ends where the front sees its end, whatever is wrong with it', async (t) => {
  const lineOf = (host: string): string => `m,cluster=c,hostname=${host} value=1 1790000000\n`;
  const hosts = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];
  for (const shards of [1, 3]) {
    const store = await start(t, shards);
    const check = async (title: string, text: string, expected: object): Promise<void> => {
      const session = store.beginWrite({ cluster: '', precision: 0, bytesExpected: text.length });
      session.push(Buffer.from(text));
      t.match(await session.finish(), expected, `${title}, ${shards} shards`);
    };
    const all = hosts.map(lineOf).join('');
    const broken = { written: 0, rejected: 1 };
    await check('a tag without a value', `m,cluster=c,hostname=h1,x event="\n${all}"\n`, broken);
    await check('a field without a key', `m,cluster=c,hostname=h1 =1,event="\n${all}"\n`, broken);
    await check('half a text', `m,cluster=c,hostname=h1 x=="\n${all}" \n`, broken);
    for (const host of hosts) t.match(await query(store, host), '"results":[[]]', `no ${host}`);
    await check('a remark', `# x="\n${all}"\n`, { written: hosts.length });
    for (const host of hosts) t.match(await query(store, host), '"avg":1', `${host} can be found`);
  }
});

t.test('lines of one host are not put behind a text without an end', async (t) => {
  const lineOf = (host: string, rest: string): string => `m,cluster=c,hostname=${host} ${rest}\n`;
  for (const shards of [1, 3]) {
    const store = await start(t, shards);
    for (let host = 2; host < 9; host++) {
      const text =
        lineOf('h1', 'x=" 1790000000') +
        lineOf(`h${host}`, 'event="a"') +
        lineOf('h1', 'value=1 1790000000') +
        lineOf('h1', 'x=" 1790000000');
      const session = store.beginWrite({ cluster: '', precision: 0, bytesExpected: text.length });
      session.push(Buffer.from(text));
      const expected = { written: 1, ignored: 1, rejected: 2 };
      t.match(await session.finish(), expected, `h1 and h${host}, ${shards} shards`);
    }
  }
});

t.test('lines that nobody asked for cost no others', async (t) => {
  for (const shards of [1, 3]) {
    const store = await start(t, shards);
    const check = async (title: string, text: string, expected: object): Promise<void> => {
      for (const time of ['first', 'again', 'once more']) {
        const body = Buffer.from(text);
        const bytesExpected = body.length;
        const session = store.beginWrite({ cluster: '', precision: 0, bytesExpected });
        session.push(body);
        const summary = await session.finish();
        t.match(summary, expected, `${title}, ${shards} shards, ${time}`);
      }
    };
    const one = { written: 1, ignored: 1, rejected: 0 };
    for (const blanks of [' ', '  ', '\t', '\t ', ' \t']) {
      const text = `${blanks}unseen value=1\n${blanks}${GOOD}\n`;
      await check(`behind ${JSON.stringify(blanks)}`, text, one);
    }
    const quote = 'unseen,hostname=h2,disk=" value=1\n';
    const two = { written: 1, ignored: 2, rejected: 0 };
    await check('a quote in a tag', `${quote}${GOOD}\n${quote}`, two);
    await check('a text with a newline', `unseen event="a\n${GOOD}\nb"\n${GOOD}\n`, one);
    await check('the same behind a blank', ` unseen event="a\n${GOOD}\nb"\n${GOOD}\n`, one);
    await check('a quote without a key', `unseen,="\n${GOOD}\nx,=" 1\n${GOOD}\n`, {
      written: 2,
      ignored: 2,
    });
  }
});
