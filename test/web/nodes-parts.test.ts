import t from 'tap';
import { exploreLink } from '../../src/web/pages/nodes/explore-link.js';
import type { HealthEvent, NodeHealth } from '../../src/web/pages/nodes/states.js';
import { HealthModel } from '../../src/web/pages/nodes/model.js';
import { pathOf } from '../../src/web/pages/nodes/sparkline-path.js';
import { readView } from '../../src/web/pages/explore/view.js';

const node = (host: string, fields: Partial<NodeHealth> = {}): NodeHealth => ({
  cluster: 'alex',
  host,
  subCluster: 'main',
  state: 'full',
  sinceSec: 100,
  isFlapping: false,
  isExpected: true,
  lastSec: 90,
  ...fields,
});
const event = (host: string, fields: Partial<HealthEvent> = {}): HealthEvent => ({
  timeSec: 200,
  cluster: 'alex',
  host,
  state: 'failed',
  sinceSec: 200,
  isFlapping: false,
  ...fields,
});

t.test('nodes in groups, and what events change', (t) => {
  const model = new HealthModel([
    node('a1'),
    node('a2', { state: 'partial', sinceSec: 150 }),
    node('b1', { subCluster: 'big' }),
    node('c1', { cluster: 'fritz', state: 'failed', sinceSec: 120 }),
  ]);
  t.same(
    model.groups.map(({ cluster, subCluster, indexes }) => [cluster, subCluster, indexes]),
    [
      ['alex', 'big', [2]],
      ['alex', 'main', [0, 1]],
      ['fritz', 'main', [3]],
    ],
  );
  const main = model.groups[1]!;
  t.same(main.counts, { full: 1, partial: 1, failed: 0 });
  const change = model.apply(event('a1'))!;
  t.equal(change.index, 0);
  t.equal(change.group, main);
  t.equal(change.previous.state, 'full');
  t.same(main.counts, { full: 0, partial: 1, failed: 1 });
  t.match(model.nodes[0], { state: 'failed', sinceSec: 200, lastSec: 90 });
  t.equal(model.apply(event('nobody')), undefined, 'a node that is not known');
  t.equal(model.apply(event('a1', { cluster: 'fritz' })), undefined, 'of another cluster');
  t.same(
    model.troubled().map(({ host }) => host),
    ['a1', 'c1', 'a2'],
    'failed first, then the newest',
  );
  t.end();
});

t.test('nodes that are read anew', (t) => {
  const model = new HealthModel([node('a1'), node('a2')]);
  const kept = model.nodes[0];
  const changes = model.refresh([node('a1'), node('a2', { state: 'partial', sinceSec: 300 })])!;
  t.same(
    changes.map(({ index, previous }) => [index, previous.state]),
    [[1, 'full']],
  );
  t.equal(model.nodes[0], kept, 'what did not change is the same object');
  t.same(model.groups[0]!.counts, { full: 1, partial: 1, failed: 0 });
  t.equal(model.refresh([node('a1')]), undefined, 'fewer nodes');
  t.equal(model.refresh([node('a1'), node('a3')]), undefined, 'other nodes');
  t.equal(model.refresh([node('a1'), node('a2', { subCluster: 'x' })]), undefined, 'other groups');
  t.end();
});

t.test('the path of a small curve', (t) => {
  const check = (values: readonly (number | null)[], path: string): void =>
    void t.equal(pathOf(values, 100, 24), path, JSON.stringify(values));
  check([], '');
  check([null, null], '');
  check([0, 10], 'M0 22L100 2');
  check([5, 5, 5], 'M0 12L50 12L100 12');
  check([0, null, 10], 'M0 22h.1M100 2h.1');
  check([0, 10, null, 10, 0], 'M0 22L25 2M75 2L100 22');
  check([7], 'M0 12h.1');
  t.end();
});

t.test('a link from a node says what the other page reads', (t) => {
  const shown = { cluster: 'alex', hosts: 'a1', metric: 'clock,mem_bw', scope: 'hwthread' };
  const view = readView(new URLSearchParams(exploreLink(shown).split('?')[1]));
  t.match(view, shown);
  t.equal(new URLSearchParams(exploreLink({ ...shown, scope: 'node' })).get('scope'), null);
  t.end();
});
