import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseExposition } from '../helpers/exposition.js';
import { startServer } from '../helpers/server.js';

const DASHBOARD = 'scripts/grafana/metricshard.json';
const RULES = 'scripts/alerts/metricshard.rules.yml';
const NAME = /\b(?:metricshard|process)_[a-z0-9_]+/g;
/** Files that make families which not every store has: of NATS, S3, certificates, nodes. */
const CODE = /metricFamily|plainFamily|\['[a-z_]+', '(?:gauge|counter)'/;

/** Of nodes: their names are put together where they are made. */
const OF_NODES = ['hosts', 'metrics', 'changes_total'].map((name) => `metricshard_health_${name}`);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

/** Names that the code gives to families, with the prefix that all have. */
function namesInCode(): Set<string> {
  const names = new Set<string>();
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join('src', file), 'utf8');
    if (!CODE.test(text)) continue;
    for (const [, name] of text.matchAll(/['`]([a-z][a-z0-9_]+)['`]/g)) {
      names
        .add(`metricshard_${name}`)
        .add(`metricshard_nats_${name}`)
        .add(`metricshard_config_${name}`);
    }
  }
  return names;
}

t.test('dashboard and alerts use names that there are', async (t) => {
  const server = await startServer();
  t.teardown(() => server.stop());
  const families = parseExposition((await server.get('/metrics')).text);
  const inCode = namesInCode();
  const isKnown = (name: string): boolean => {
    const family = name.replace(/_(?:bucket|sum|count)$/, '');
    return (
      families.has(name) ||
      families.get(family)?.type === 'histogram' ||
      inCode.has(name) ||
      OF_NODES.includes(name)
    );
  };
  t.notOk(isKnown('metricshard_no_such_thing'), 'the check can fail');
  t.notOk(isKnown('metricshard_series_count'), 'only histograms have parts');
  for (const file of [DASHBOARD, RULES]) {
    const text = readFileSync(file, 'utf8');
    const used = new Set(text.match(NAME));
    t.ok(used.size >= 15, `${file}: ${used.size} names`);
    for (const name of used) t.ok(isKnown(name), `${file}: ${name}`);
  }
});

t.test('the dashboard is one that Grafana takes', (t) => {
  const { panels, schemaVersion, templating, uid, id } = JSON.parse(
    readFileSync(DASHBOARD, 'utf8'),
  ) as {
    panels: Panel[];
    schemaVersion: number;
    templating: { list: { name: string; type: string }[] };
    uid: string;
    id?: number;
  };
  t.ok(schemaVersion >= 36, 'of Grafana 9 and later');
  t.equal(uid, 'metricshard');
  t.equal(id, undefined, 'it is new where it is imported');
  t.match(templating.list, [{ name: 'datasource', type: 'datasource' }, { name: 'instance' }]);
  t.equal(new Set(panels.map((panel) => panel.id)).size, panels.length);
  const taken = new Set<string>();
  for (const { type, title, gridPos, datasource, targets = [] } of panels) {
    const { x, y, w, h } = gridPos;
    t.ok(x + w <= 24, `${title}: it is on the page`);
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        if (taken.has(`${column} ${row}`)) t.fail(`${title} lies over another`);
        taken.add(`${column} ${row}`);
      }
    }
    if (type === 'row') continue;
    t.equal(datasource?.uid, '${datasource}', `${title}: no data source of ours`);
    t.ok(targets.length > 0, title);
    for (const { expr } of targets) {
      t.match(expr, 'instance=~"$instance"', `${title}: of the chosen store`);
      const depth = [...expr].reduce(
        (sum, char) => sum + (char === '(' ? 1 : char === ')' ? -1 : 0),
        0,
      );
      t.equal(depth, 0, `${title}: ${expr}`);
    }
  }
  t.end();
});

t.test('each alert tells what happened and what to do', (t) => {
  const text = readFileSync(RULES, 'utf8');
  const alerts = text.split(/^ +- alert: /m).slice(1);
  t.ok(alerts.length >= 15, `${alerts.length} alerts`);
  const names = alerts.map((alert) => /^\w+/.exec(alert)![0]);
  t.equal(new Set(names).size, names.length);
  alerts.forEach((alert, at) => {
    t.match(names[at], /^Metricshard[A-Z]\w+$/);
    for (const part of [
      /^ +expr: \S/m,
      /^ +for: \d+[mh]$/m,
      /severity: (critical|warning|info)\b/,
      /^ +summary: \S.{10,}/m,
      /^ +description:\s+\S.{20,}/m,
    ]) {
      t.match(alert, part, names[at]);
    }
  });
  t.end();
});
