import t from 'tap';
import { SmallStore, T0, type Shown } from './small-store.js';

const store = new SmallStore();
store.put('sum', ['h'], [1, 2, 3, 4, 5]);
store.put('sum', ['kids', 'hwthread', '0'], [1, 2, 3, 4, 5]);
store.put('sum', ['kids', 'hwthread', '1'], [10, null, 30, 40, 50]);
store.put('avg', ['kids', 'hwthread', '0'], [1, 2, 3, 4, 5]);
store.put('avg', ['kids', 'hwthread', '1'], [3, null, 5, 6, 7]);
store.put('none', ['kids', 'hwthread', '0'], [1, 2, 3, 4, 5]);
store.put('none', ['kids', 'hwthread', '1'], [1, 2, 3, 4, 5]);
store.put('sum', ['both'], [100, null, 300, 400, null]);
store.put('sum', ['both', 'socket', '0'], [1, 2, 3, 4, 5]);
store.put('sum', ['both', 'socket', '1'], [1, 2, 3, 4, null]);
store.put('sum', ['deep', 'socket', '0', 'memory', '0'], [1, 1, 1, 1, 1]);
store.put('sum', ['deep', 'socket', '0', 'memory', '1'], [2, 2, 2, 2, 2]);
store.put('sum', ['deep', 'socket', '1', 'memory', '0'], [4, 4, 4, 4, 4]);
store.put('sum', ['files', '', '', 'filesystem', '/home'], [1, 1, 1, 1, 1]);
store.put('sum', ['files', '', '', 'filesystem', '/work'], [2, 2, 2, 2, 2]);
store.put('sum', ['gap'], [null, 2, null, 4, null]);

function check(title: string, query: object, wanted: object[], request: object = {}): void {
  const shown = store.ask(query, request);
  t.equal(shown.length, wanted.length, `${title}: elements`);
  t.match(shown, wanted, title);
}

t.test('one series', async () => {
  const query = { metric: 'sum', host: 'h' };
  check('all', query, [
    { data: [1, 2, 3, 4, 5], from: T0, to: T0 + 300, resolution: 60, avg: 3, min: 1, max: 5 },
  ]);
  check('padding on both sides', query, [{ data: [null, 1, 2, 3, 4, 5, null], avg: 3 }], {
    from: T0 - 60,
    to: T0 + 360,
  });
  check('no padding', query, [{ data: [1, 2, 3, 4, 5], from: T0, to: T0 + 300 }], {
    from: T0 - 60,
    to: T0 + 360,
    'with-padding': false,
  });
  check('from 0 without padding', query, [{ data: [1, 2, 3, 4, 5], from: T0, to: T0 + 300 }], {
    from: 0,
    to: 1e12,
    'with-padding': false,
  });
  check('statistics of all time', query, [{ avg: 3, min: 1, max: 5, from: 0 }], {
    from: 0,
    'with-data': false,
  });
  check('off the grid', query, [{ data: [1, 2], from: T0, to: T0 + 120 }], {
    from: T0 + 30,
    to: T0 + 90 + 1,
  });
  check('empty range', query, [{ data: [], from: T0, to: T0, avg: null }], { to: T0 });
  check('before all data', query, [{ data: [null, null], avg: null, min: null, max: null }], {
    from: T0 - 600,
    to: T0 - 480,
  });
  check('scaled', { ...query, 'scale-by': -0.5 }, [
    { data: [-0.5, -1, -1.5, -2, -2.5], avg: -1.5, min: -2.5, max: -0.5 },
  ]);
  check('without statistics', query, [{ data: [1, 2, 3, 4, 5], avg: 0, min: 0, max: 0 }], {
    'with-stats': false,
  });
  const [bare] = store.ask(query, { 'with-data': false });
  t.notOk('data' in bare!, 'without data');
  t.match(bare, { avg: 3, min: 1, max: 5 });
  check('gaps stay', { metric: 'sum', host: 'gap' }, [{ data: [null, 2, null, 4, null], avg: 3 }]);
  check(
    'gaps at the ends go',
    { metric: 'sum', host: 'gap' },
    [{ data: [2, null, 4], from: T0 + 60, to: T0 + 240 }],
    { 'with-padding': false },
  );
  t.equal(
    store.text({ queries: [query] }),
    `{"results":[[{"data":[1,2,3,4,5],"from":${T0},"to":${T0 + 300},"resolution":60,"avg":3,"min":1,"max":5}]]}`,
    'to the letter',
  );
  check('overflow is null', { ...query, 'scale-by': 1e308 }, [
    { data: [1e308, null, null, null, null], max: null },
  ]);
});

t.test('aggregates', async () => {
  check('sum', { metric: 'sum', host: 'kids' }, [{ data: [11, 2, 33, 44, 55], coverage: 0.5 }]);
  check('mean', { metric: 'avg', host: 'kids' }, [{ data: [2, 2, 4, 5, 6], coverage: 0.5 }]);
  check('missing as null', { metric: 'sum', host: 'kids', missing: 'null' }, [
    { data: [11, null, 33, 44, 55], avg: 35.75 },
  ]);
  const [full] = store.ask({ metric: 'sum', host: 'kids' }, { from: T0 + 120 });
  t.notOk('coverage' in full!, 'no coverage where all are there');
  const two = { type: 'hwthread', 'type-ids': ['0', 1], aggreg: true };
  check('chosen ids', { metric: 'sum', host: 'kids', ...two }, [{ data: [11, 2, 33, 44, 55] }]);
  check(
    'an id twice counts once',
    { metric: 'sum', host: 'kids', ...two, 'type-ids': ['0', '0'] },
    [{ data: [1, 2, 3, 4, 5] }],
  );
  check('scaled sum', { metric: 'sum', host: 'kids', 'scale-by': 2 }, [
    { data: [22, 4, 66, 88, 110] },
  ]);
  check('without aggregation', { metric: 'none', host: 'kids' }, [
    { error: /has no aggregation/, avg: null },
  ]);
  check('without aggregation, one', { metric: 'none', host: 'kids', ...two, 'type-ids': ['1'] }, [
    { data: [1, 2, 3, 4, 5] },
  ]);
  check('two levels down', { metric: 'sum', host: 'deep' }, [{ data: [7, 7, 7, 7, 7] }]);
  check('own first, else children', { metric: 'sum', host: 'both' }, [
    { data: [100, 4, 300, 400, 5], coverage: 0.5 },
  ]);
  check('own first, missing as null', { metric: 'sum', host: 'both', missing: 'null' }, [
    { data: [100, 4, 300, 400, null] },
  ]);
  check('own without a gap', { metric: 'sum', host: 'both' }, [{ data: [300, 400] }], {
    from: T0 + 120,
    to: T0 + 240,
  });
  check('own and statistics only', { metric: 'sum', host: 'both' }, [{ avg: 161.8, max: 400 }], {
    'with-data': false,
  });
});

t.test('elements by id', async () => {
  const by = (metric: string, ids: string[], more: object = {}): object => ({
    metric,
    host: 'kids',
    type: 'hwthread',
    'type-ids': ids,
    ...more,
  });
  check('in order', by('sum', ['1', '0']), [
    { data: [10, null, 30, 40, 50] },
    { data: [1, 2, 3, 4, 5] },
  ]);
  check('unknown id keeps its place', by('sum', ['0', '99', '1']), [
    { avg: 3 },
    { error: /hwthread 99 of kids/, from: 0 },
    { min: 10 },
  ]);
  check('known id without the metric', by('quiet', ['0']), [{ error: /no data for metric quiet/ }]);
  check(
    'unknown host with ids',
    { metric: 'sum', host: 'nope', type: 'hwthread', 'type-ids': ['0', '1'] },
    [{ error: /nope/ }, { error: /nope/ }],
  );
  check('aggregate of unknown ids', by('sum', ['99'], { aggreg: true }), [{ error: /no data/ }]);
  check('no ids asked', by('sum', []), [{}, {}]);
  const sub = {
    metric: 'sum',
    host: 'deep',
    type: 'socket',
    'type-ids': ['0', '1'],
    subtype: 'memory',
  };
  check('ids by sub-ids', { ...sub, 'subtype-ids': ['0', '1'] }, [
    { avg: 1 },
    { avg: 2 },
    { avg: 4 },
    { error: /memory 1 of socket1/ },
  ]);
  check('sub-ids of an unknown id', { ...sub, 'type-ids': ['9'], 'subtype-ids': ['0', '1'] }, [
    { error: /socket 9/ },
    { error: /socket 9/ },
  ]);
  check('sub-ids combined', { ...sub, 'subtype-ids': ['0'], aggreg: true }, [{ avg: 5 }]);
  check(
    'below the node',
    {
      metric: 'sum',
      host: 'files',
      type: 'node',
      'type-ids': ['0'],
      subtype: 'filesystem',
      'subtype-ids': ['/work', '/home'],
    },
    [{ avg: 2 }, { avg: 1 }],
  );
  check('all below the node', { metric: 'sum', host: 'files' }, [{ avg: 3 }]);
});

t.test('nothing and errors', async () => {
  check('unknown host', { metric: 'sum', host: 'nope' }, []);
  check('unknown host from 0 costs nothing', { metric: 'sum', host: 'nope' }, [], {
    from: 0,
    to: 1e12,
  });
  check('no host', { metric: 'sum' }, []);
  check('configured, no data', { metric: 'quiet', host: 'h' }, []);
  check('unknown metric', { metric: 'no"such', host: 'h' }, [
    { error: 'unknown metric: no"such', from: 0, resolution: 0 },
  ]);
  check('from behind to', { metric: 'sum', host: 'h' }, [{ error: /invalid time range/ }], {
    from: T0 + 1,
    to: T0,
  });
  check('before 1970', { metric: 'sum', host: 'h' }, [{ error: /invalid time range/ }], {
    from: -900,
    to: 0,
  });
  check('milliseconds', { metric: 'sum', host: 'h' }, [{ error: /not a Unix time in seconds/ }], {
    from: T0 * 1000,
    to: T0 * 1000 + 1,
  });
  check('negative resolution', { metric: 'sum', host: 'h', resolution: -1 }, [
    { error: /invalid resolution/ },
  ]);
  t.equal(store.text({ queries: null }), '{"results":[]}');
});

t.test('all nodes', async () => {
  const one = new SmallStore();
  one.put('sum', ['b'], [1]);
  one.put('sum', ['a'], [2]);
  const request = {
    'for-all-nodes': ['sum', 'quiet'],
    queries: [{ metric: 'sum', host: 'b' }],
    to: T0 + 60,
  };
  const answer = JSON.parse(one.text(request)) as { queries: object[]; results: Shown[][] };
  t.match(answer.queries, [
    { host: 'b' },
    { host: 'a', metric: 'sum' },
    { host: 'a', metric: 'quiet' },
    { host: 'b', metric: 'sum' },
    { host: 'b' },
  ]);
  t.match(
    answer.results.map((result) => result[0]?.avg),
    [1, 2, undefined, 1, undefined],
    'aligned',
  );
  one.put('sum', ['0'], [3]);
  t.equal(one.results(request).length, 7, 'a new host is seen by a request answered before');
});

t.test('what is remembered of the tree does not outlive a change of it', async () => {
  const one = new SmallStore();
  const ask = (metric: string, to: number): Shown => one.ask({ metric, host: 'h' }, { to })[0]!;
  one.put('sum', ['h', 'socket', '0'], [1, 1, 1]);
  t.match(ask('sum', T0 + 60), { data: [1] });
  one.put('sum', ['h', 'socket', '1'], [2, 2, 2]);
  // Other times make another text: no plan is known for it, but what lies below the host is.
  t.match(ask('sum', T0 + 120), { data: [3, 3] }, 'a new part');
  one.put('sum', ['h'], [null, 9, 9]);
  t.match(ask('sum', T0 + 180), { data: [3, 9, 9] }, 'a new series of its own');
  one.engine.free([['c', 'h', 'socket1']], T0 + 1e6);
  t.match(ask('sum', T0 + 60), { data: [1] }, 'a part that went');
  one.engine.free([['c']], T0 + 1e6);
  t.same(one.ask({ metric: 'sum', host: 'h' }), [], 'all went');
  t.equal(one.engine.seriesCount + one.engine.levelCount, 0);
});

t.test('resampling', async () => {
  const values = Array.from({ length: 1200 }, (_, i) => (i % 7 === 3 ? null : Math.sin(i / 9) * i));
  const present = values.filter((value) => value !== null);
  const long = new SmallStore();
  long.put('sum', ['h'], values);
  const ask = (resolution: number, more: object = {}): Shown =>
    long.ask({ metric: 'sum', host: 'h', resolution }, { to: T0 + 1200 * 60, ...more })[0]!;
  t.match(ask(60), { resolution: 60, data: { length: 1200 } }, 'native');
  t.match(ask(10), { resolution: 60, data: { length: 1200 } }, 'below native');
  t.match(ask(240), { resolution: 240, data: { length: 300 }, to: T0 + 1200 * 60 }, 'a quarter');
  t.match(ask(200), { resolution: 240, data: { length: 300 } }, 'rounded up');
  t.match(ask(240, { to: T0 + 900 * 60 }), { resolution: 60, data: { length: 900 } }, 'too few');
  t.match(ask(36_000), { resolution: 60, data: { length: 1200 } }, 'too wide for a curve');
  t.equal(ask(240).max, Math.max(...present), 'statistics are over native samples');
  t.equal(ask(240, { 'resample-algo': 'max' }).data![0], Math.max(...present.slice(0, 3)));
  t.equal(ask(240, { 'resample-algo': 'count' }).data![0], 3);
  t.equal(ask(240, { 'resample-algo': 'simple' }).data![1], values[4]);
});

t.test('limits refuse before memory is taken', async () => {
  const refused = (title: string, limits: object, request: object, name: RegExp): void => {
    const small = new SmallStore(limits);
    for (const id of ['0', '1', '2']) small.put('sum', ['h', 'hwthread', id], [1, 2, 3]);
    t.throws(() => small.text(request), { code: 'limit-exceeded', message: name }, title);
  };
  const query = { metric: 'sum', host: 'h' };
  refused('queries', { queriesMax: 1 }, { queries: [query, query] }, /queries-max is 1/);
  refused('series', { seriesPerQueryMax: 2 }, { queries: [query] }, /series-per-query-max is 2/);
  refused('points', { pointsMax: 4 }, { queries: [query] }, /points-max is 4/);
  refused(
    'points without padding',
    { pointsMax: 2 },
    { queries: [query], 'with-padding': false },
    /points-max is 2/,
  );
  refused('time', { queryTimeMsMax: -1 }, { queries: [query] }, /query-time-ms-max/);
  refused('1e12', {}, { queries: [query], from: 0, to: 1e12 }, /points-max/);
  const curve = { ...query, resolution: 600 };
  refused('work area', {}, { queries: [curve], from: T0 - 60 * 4.5e6 }, /work area/);
  refused('one element', {}, { queries: [query], from: T0 - 60 * 6e6 }, /answer buffer/);
  refused('text', { answerBytesMax: 100 }, { queries: [query] }, /answer-bytes-max is 100/);
});
