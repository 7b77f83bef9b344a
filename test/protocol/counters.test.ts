import t from 'tap';
import { COUNTER_NAMES, counterHelp, Counters, turnTimes } from '../../src/protocol/counters.js';
import {
  CONTROL_BASE,
  CONTROL_COUNTERS,
  CONTROL_TURN_TIMES,
  RING_BASE,
} from '../../workers/kernel/layout.js';

t.test('counters and histograms have a place of their own each', (t) => {
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true });
  const written = new Counters(memory);
  COUNTER_NAMES.forEach((name, at) => written.set(name, at + 1));
  const ingest = turnTimes(memory, 'ingest');
  const query = turnTimes(memory, 'query');
  for (let time = 0; time < 5; time++) ingest.add(100);
  for (let time = 0; time < 3; time++) query.add(0);
  const read = new Counters(memory).read();
  COUNTER_NAMES.forEach((name, at) => t.equal(read[name], at + 1, name));
  t.same([turnTimes(memory, 'ingest').count, turnTimes(memory, 'query').count], [5, 3]);
  t.ok(CONTROL_COUNTERS + 8 * COUNTER_NAMES.length <= CONTROL_TURN_TIMES, 'room for counters');
  const end = query.words.byteOffset + query.words.byteLength;
  t.ok(end <= RING_BASE && ingest.words.byteOffset === CONTROL_BASE + CONTROL_TURN_TIMES);
  t.throws(() => written.add('nothing', 1), { message: /no counter is named nothing/ });
  t.end();
});

t.test('each counter has a sentence, and a name that Prometheus would give it', (t) => {
  for (const name of COUNTER_NAMES.filter((one) => !one.includes(':'))) {
    t.match(name, /_(total|current)$/);
    t.notMatch(name, /micro|milli/);
    t.match(counterHelp(name), /^[A-Z0-9].{8,}\.$|^[A-Z0-9].{8,}\w$/, name);
    t.not(counterHelp(name), name);
  }
  t.end();
});
