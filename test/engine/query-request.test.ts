import t from 'tap';
import { nodeQuery, parseQueryRequest, queryJson } from '../../src/model/query-request.js';
import { slotOf } from '../../src/model/slot.js';

function check(title: string, text: string, wanted: object): void {
  t.match(parseQueryRequest(text), wanted, title);
}

function refused(title: string, text: string, message: RegExp): void {
  t.throws(() => parseQueryRequest(text), { code: 'bad-request', message }, title);
}

t.test('requests', async () => {
  const empty = { cluster: '', fromSec: 0, toSec: 0, queries: [], forAllNodes: null };
  check('null', 'null', empty);
  check('an empty object', '{}', { ...empty, withStats: true, withData: true, withPadding: true });
  check('null lists', '{"queries":null,"for-all-nodes":null,"from":null}', empty);
  check('any case', '{"CLUSTER":"c","From":1,"TO":2,"With-Stats":false}', {
    cluster: 'c',
    fromSec: 1,
    toSec: 2,
    withStats: false,
  });
  check('unknown keys', '{"x":{"y":[1]}}', empty);
  check('garbage behind', '{"cluster":"a}\\"b"} garbage', { cluster: 'a}"b' });
  check('a second document behind', '{"cluster":"a"}{"cluster":"b"}', { cluster: 'a' });
  check('null and garbage', 'null x', empty);
  check('for all nodes', '{"for-all-nodes":["a","b"]}', { forAllNodes: ['a', 'b'] });
  check('algorithm', '{"resample-algo":"avg"}', { resampleAlgo: 'average' });
});

t.test('queries', async () => {
  check('defaults', '{"queries":[{"metric":"m","host":"h"}]}', {
    queries: [
      { metric: 'm', host: 'h', type: '', typeIds: [], resolution: 0, aggreg: false, scaleBy: 0 },
    ],
  });
  check(
    'all',
    '{"queries":[{"metric":"m","host":"h","type":"t","type-ids":["0",1],"subtype":"s","subtype-ids":[2],"resolution":60,"aggreg":true,"scale-by":0.5,"missing":"null"}]}',
    {
      queries: [
        {
          type: 't',
          typeIds: ['0', '1'],
          subtype: 's',
          subtypeIds: ['2'],
          resolution: 60,
          aggreg: true,
          scaleBy: 0.5,
          missingAsNull: true,
        },
      ],
    },
  );
  check('null query and nulls in it', '{"queries":[null,{"metric":null,"type-ids":null}]}', {
    queries: [{ metric: '' }, { metric: '', typeIds: [] }],
  });
});

t.test('what is refused, by field and value', async () => {
  refused('empty', '', /empty/);
  refused('blank', ' \n', /empty/);
  refused('cut', '{"cluster": "alex", ', /not JSON/);
  refused('a list', '[]', /the request must be an object, not \[\]/);
  refused('a number', '5', /the request must be an object, not 5/);
  refused('text', '{"from":"abc"}', /from must be an integer, not "abc"/);
  refused('fraction', '{"from":1.5}', /from must be an integer, not 1\.5/);
  refused('huge', '{"to":1e300}', /to must be an integer/);
  refused('cluster', '{"cluster":1}', /cluster must be a string, not 1/);
  refused('flag', '{"with-data":1}', /with-data must be true or false, not 1/);
  refused('queries', '{"queries":{}}', /queries must be a list/);
  refused('query', '{"queries":[1]}', /queries\[0\] must be an object, not 1/);
  refused('id', '{"queries":[{},{"type-ids":[true]}]}', /queries\[1\]\.type-ids\[0\] must be/);
  refused(
    'resolution',
    '{"queries":[{"resolution":"1"}]}',
    /queries\[0\]\.resolution must be an integer/,
  );
  refused('missing', '{"queries":[{"missing":"zero"}]}', /missing must be "null" or "skip"/);
  refused('algorithm', '{"resample-algo":"m5"}', /resample-algo must be one of lttb/);
  const deep = 30_000;
  for (const field of ['from', 'cluster', 'queries', 'with-data', 'for-all-nodes']) {
    const inObjects = `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`;
    refused(`${field}, deep`, `{"${field}":${inObjects}}`, /must be .*, not \{"a":\{"a":/);
  }
  const inLists = `${'['.repeat(deep)}${']'.repeat(deep)}`;
  refused('id, deep', `{"queries":[{"type-ids":${inLists}}]}`, /type-ids\[0\] must be .*, not \[/);
  refused('long values are cut', `{"from":"${'x'.repeat(999)}"}`, /^.{1,140}$/);
});

t.test('the queries list of an answer', async () => {
  t.equal(
    queryJson(nodeQuery('m', 'h')),
    '{"metric":"m","host":"h","resolution":0,"aggreg":false}',
  );
});

t.test('slots: the nearest grid point, ties to the lower', async () => {
  for (const [time, step, slot] of [
    [0, 60, 0],
    [30, 60, 0],
    [31, 60, 1],
    [89, 60, 1],
    [90, 60, 1],
    [91, 60, 2],
    [-30, 60, -1],
    [-29, 60, 0],
    [7, 5, 1],
    [8, 5, 2],
    [5, 1, 5],
  ] as const) {
    t.equal(slotOf(time, step), slot, `${time} by ${step}`);
  }
});
