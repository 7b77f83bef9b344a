import t from 'tap';
import type { SelectRequest } from '../../src/model/selection.js';
import {
  checkForm,
  CONTENT_TYPES,
  headOf,
  isTable,
  OUTPUT_FORMS,
  SEPARATORS,
  tailOf,
} from '../../workers/output/forms.js';
import { QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { makeOutput } from '../../workers/output/outputs.js';
import { Random } from '../helpers/random.js';
import { HOSTILE, tools, writePieces, written } from './results.js';

function requestOf(...select: object[]): SelectRequest {
  return { fromSec: 10, toSec: 20, select } as unknown as SelectRequest;
}

t.test('what each form is', (t) => {
  const request = requestOf({ stats: ['avg'], data: false });
  const check = (form: (typeof OUTPUT_FORMS)[number], expected: object): void => {
    for (let round = 0; round < 2; round++) {
      t.same(
        {
          type: CONTENT_TYPES[form],
          separator: SEPARATORS[form],
          isTable: isTable(form),
          head: Buffer.from(headOf(form, request)).toString(),
          tail: Buffer.from(tailOf(form, [{ select: 0, error: 'x' }])).toString('latin1'),
        },
        expected,
        form,
      );
    }
  };
  check('json', {
    type: 'application/json',
    separator: ',',
    isTable: false,
    head: '{"from":10,"to":20,"results":[',
    tail: '],"problems":[{"select":0,"error":"x"}]}',
  });
  check('ndjson', {
    type: 'application/x-ndjson',
    separator: '',
    isTable: false,
    head: '',
    tail: '',
  });
  check('csv', {
    type: 'text/csv; charset=utf-8',
    separator: '',
    isTable: true,
    head: 'selection,metric,unit,cluster,sub_cluster,host,type,id,sub_id,series,coverage,stat_avg\r\n',
    tail: '',
  });
  t.equal(isTable('arrow'), true);
  t.equal(tailOf('arrow', []).join(), '255,255,255,255,0,0,0,0');
  t.end();
});

t.test('heads and tails in shared memory are the same', (t) => {
  const request = requestOf({ stats: ['avg'], data: true }, { stats: ['min'], data: true });
  for (const form of OUTPUT_FORMS) {
    const output = makeOutput(form, tools, request);
    t.equal(output.contentType, CONTENT_TYPES[form]);
    t.same(
      written(() => output.head()),
      Buffer.from(headOf(form, request)),
      form,
    );
    t.same(
      written(() => output.tail()),
      Buffer.from(tailOf(form, [])),
      form,
    );
    t.equal(written(() => output.flush()).length, 0, 'nothing was gathered');
  }
  t.end();
});

t.test('CSV is one table', (t) => {
  const points = { stats: [], data: true };
  const statistics = { stats: ['avg'], data: false };
  const mixed = requestOf(points, points, statistics);
  t.throws(() => checkForm('csv', mixed), {
    code: 'bad-request',
    message: /^select\[2\]\.data: false/,
  });
  t.throws(() => checkForm('csv', requestOf(statistics, points)), {
    message: /^select\[1\]\.data: true/,
  });
  t.doesNotThrow(() => checkForm('csv', requestOf(points, points)));
  t.doesNotThrow(() => checkForm('csv', requestOf(statistics)));
  for (const form of ['json', 'ndjson', 'arrow'] as const) {
    t.doesNotThrow(() => checkForm(form, mixed), form);
  }
  t.end();
});

t.test('bytesMax is enough for the worst names and numbers', (t) => {
  const random = new Random(1);
  /** As long as a number can be. */
  const number = Number('-0.0000012345678901234567');
  const values = QUERY_SCRATCH_BASE;
  for (const form of OUTPUT_FORMS) {
    for (const [index, name] of HOSTILE.entries()) {
      for (const count of [0, 1, 3000]) {
        const stats = ['avg', 'p99.9'];
        const request = requestOf({ stats, data: count > 0 });
        new Float64Array(tools.memory.buffer).fill(number, values / 8, values / 8 + count);
        const result = {
          metric: name,
          unit: name,
          cluster: name,
          subCluster: name,
          host: name,
          type: name,
          id: name,
          subId: name,
          select: 0,
          seriesCount: 2_000_000_000,
          coverage: -number,
          fromSec: 4_294_967_295,
          stepSec: 31_536_000,
          count,
          values: count > 0 ? values : 0,
          series: 0,
          stats: [number, number],
        };
        const output = makeOutput(form, tools, request);
        const pieces = writePieces(output, [{ result, data: undefined }], 0, random);
        t.equal(pieces.length, 1, `${form}, name ${index}, ${count} values`);
      }
    }
  }
  t.end();
});
