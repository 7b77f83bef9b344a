import t from 'tap';
import { KnownHosts } from '../../src/routing/known-hosts.js';

t.test('lists of hosts', (t) => {
  const hosts = new KnownHosts();
  const shard = { index: 1, generation: 1 };
  const none = { version: 0, names: [] };
  const list = { version: 7, names: ['a', 'b'] };
  t.same(hosts.get('c', shard), none, 'nothing is known at first');
  t.equal(hosts.keep('c', shard, list), list);
  t.equal(hosts.get('c', shard), list);
  t.equal(hosts.keep('c', shard, { version: 7, names: ['a', 'b'] }), list, 'told once more');
  t.same(hosts.get('d', shard), none, 'of another cluster');
  t.same(hosts.get('c', { index: 0, generation: 1 }), none, 'of another shard');
  const reborn = { index: 1, generation: 2 };
  t.same(hosts.get('c', reborn), none, 'of a shard that was restarted');
  const other = { version: 7, names: ['z'] };
  t.equal(hosts.keep('c', reborn, other), other, 'which counts anew');
  t.equal(hosts.get('c', reborn), other);
  t.end();
});

t.test('clusters are bounded', (t) => {
  const hosts = new KnownHosts();
  const shard = { index: 0, generation: 1 };
  for (let i = 0; i < 1000; i++) hosts.keep(`c${i}`, shard, { version: i + 1, names: ['a'] });
  const known = Array.from({ length: 1000 }, (_, i) => hosts.get(`c${i}`, shard).version);
  t.ok(known.filter((version) => version > 0).length <= 64);
  t.equal(known.at(-1), 1000);
  t.end();
});
