import { createHash } from 'node:crypto';
import t from 'tap';
import { parseManifest } from '../../workers/checkpoint/manifest.js';

const GOOD = {
  format: 1,
  checkpoint: 2,
  savedAtMs: 1_795_466_400_000,
  firstFrame: 7,
  firstLog: 3,
  nextSeriesId: 5,
  metrics: [{ name: 'load', stepSec: 60 }],
  series: { file: 'series-00000002', bytes: 100, count: 4 },
  segments: [{ file: 'blocks-00000001', bytes: 50, untilSec: 1_795_466_400 }],
};

function textOf(manifest: unknown): string {
  const json = JSON.stringify(manifest);
  return `${json}\n${createHash('sha256').update(json).digest('hex')}\n`;
}

t.test('a manifest whose checksum is right and whose fields make no sense', async (t) => {
  t.same(parseManifest(textOf(GOOD), 'MANIFEST'), GOOD);
  const check = (change: object, told: RegExp): void => {
    for (const time of ['first', 'again']) {
      const text = textOf({ ...GOOD, ...change });
      t.throws(() => parseManifest(text, 'MANIFEST'), { name: 'DamageError', message: told }, time);
    }
  };
  check({ format: 2 }, /format 2, not 1/);
  check({ segments: undefined }, /its field segments makes no sense/);
  check({ segments: {} }, /segments/);
  check({ segments: [null] }, /segments/);
  check({ segments: [{ file: '../../MANIFEST', bytes: 1 }] }, /segments/);
  check({ series: null }, /series/);
  check({ series: { file: 'series-00000002', bytes: -1, count: 4 } }, /series/);
  check({ metrics: [{ name: 1, stepSec: 60 }] }, /metrics/);
  check({ metrics: [{ name: 'load', stepSec: 0 }] }, /metrics/);
  check({ metrics: [null] }, /metrics/);
  check({ firstFrame: '7' }, /firstFrame/);
  check({ nextSeriesId: 1.5 }, /nextSeriesId/);
  check({ archiveRun: null }, /archiveRun/);
  check({ heapBytes: -1 }, /heapBytes/);
});
