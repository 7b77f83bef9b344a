import t from 'tap';
import { parseExposition } from '../helpers/exposition.js';

const HISTOGRAM = '# HELP a_seconds A.\n# TYPE a_seconds histogram\n';
const BUCKETS = 'a_seconds_bucket{le="1"} 1\na_seconds_bucket{le="+Inf"} 2\n';
const END = 'a_seconds_sum{} 3\na_seconds_count{} 2\n';

t.test('the judge of /metrics sees what is wrong', (t) => {
  const check = (text: string, why?: RegExp): void => {
    if (why) t.throws(() => parseExposition(text), { message: why }, text);
    else t.doesNotThrow(() => parseExposition(text), text);
  };
  const gauge = '# HELP a A.\n# TYPE a gauge\n';
  check(`${gauge}a 1\n`);
  check(`${gauge}a{b="c,\\"d\\""} 1e3\na{b="e"} +Inf\n`);
  check(HISTOGRAM + BUCKETS + END);
  check(`${gauge}a 1`, /not ended/);
  check(`${gauge}a 1\na 1\n`, /twice/);
  check(`${gauge}b 1\n`, /another family/);
  check(`${gauge}a x\n`, /no number/);
  check(`${gauge}a{b="c"d="e"} 1\n`, /bad labels/);
  check(`${gauge}a{b="c",b="d"} 1\n`, /label is there twice/);
  check(`${gauge}a 1\n${gauge}`, /HELP is there twice/);
  check('# TYPE a gauge\na 1\n', /not behind its HELP/);
  check('# HELP a A.\na 1\n', /HELP has no TYPE/);
  check('# HELP a A.\n# TYPE a counter\na 1\n', /_total/);
  check('# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n', /_total/);
  check(HISTOGRAM + BUCKETS.replace('2', '0') + END, /cumulative/);
  check(HISTOGRAM + BUCKETS + END.replace('count{} 2', 'count{} 3'), /_count is 3/);
  check(HISTOGRAM + BUCKETS, /no _count/);
  check(HISTOGRAM + BUCKETS.split('\n')[0] + '\n' + END, /without all buckets/);
  t.end();
});
