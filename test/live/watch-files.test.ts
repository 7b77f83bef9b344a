import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { watchFiles } from '../../src/live/watch-files.js';
import { eventually } from '../http/front.js';

t.test('files that change, come and go', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-watch-'));
  const file = join(folder, 'config.json');
  const archive = join(folder, 'archive');
  const cluster = join(archive, 'alex', 'cluster.json');
  mkdirSync(join(archive, 'alex'), { recursive: true });
  writeFileSync(file, '{}');
  const told: string[] = [];
  let isOn = true;
  const stop = watchFiles({
    paths: () => ({ file, clusters: [archive] }),
    isOn: () => isOn,
    readAtMs: Date.now() + 1000,
    onChange: (files) => told.push(...files),
    lookMs: 20,
  });
  t.teardown(() => {
    stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const check = async (title: string, change: () => void, files: string[]): Promise<void> => {
    told.length = 0;
    change();
    t.ok(await eventually(() => told.length >= files.length), title);
    t.same(told, files, title);
  };
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));
  await pause();
  t.same(told, [], 'what is there at first is no change');
  await check('written', () => writeFileSync(file, '{"a": 1}'), [file]);
  const replace = (): void => {
    writeFileSync(`${file}.new`, '{"a": 2}');
    renameSync(`${file}.new`, file);
  };
  await check('replaced by one as long', replace, [file]);
  await check('a cluster comes', () => writeFileSync(cluster, '{}'), [cluster]);
  await check('and goes', () => rmSync(cluster), [cluster]);
  await check('gone', () => rmSync(file), [file]);
  isOn = false;
  await pause();
  told.length = 0;
  writeFileSync(file, '{"a": 3}');
  await pause();
  t.same(told, [], 'it is not wanted');
  isOn = true;
  await pause();
  await check('wanted again', () => writeFileSync(file, '{"a": 44}'), [file]);
});

t.test('written after it was read, and before the first look', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-watch-'));
  const file = join(folder, 'config.json');
  writeFileSync(file, '{}');
  const told: string[] = [];
  const stop = watchFiles({
    paths: () => ({ file, clusters: [] }),
    isOn: () => true,
    readAtMs: Date.now() - 60_000,
    onChange: (files) => told.push(...files),
    lookMs: 20,
  });
  t.teardown(() => {
    stop();
    rmSync(folder, { recursive: true, force: true });
  });
  t.ok(await eventually(() => told.length > 0));
  t.same(told, [file]);
});
