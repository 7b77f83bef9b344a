import t from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import { parseSelectRequest } from '../../src/model/parse-selection.js';
import type { SelectTask } from '../../src/protocol/select.js';
import { ANSWER_BASE, ANSWER_BYTES } from '../../workers/kernel/layout.js';
import { QueryQueue } from '../../workers/query-queue.js';
import { SmallStore, T0 } from './small-store.js';

const HOSTS = 40;
const SLOTS = 1000;
/** So that a turn has no end but that of a piece. */
const TURN_MS = 60_000;

const store = new SmallStore();
for (let host = 0; host < HOSTS; host++) {
  store.put(
    'sum',
    [`h${host}`],
    Array.from({ length: SLOTS }, (_, slot) => slot / 100),
  );
}

function task(id: number, form: SelectTask['form']): SelectTask {
  const body = { cluster: 'c', from: T0, to: T0 + SLOTS * 60, select: { metric: 'sum' } };
  const limits = { selectionsMax: 100, hostsMax: 10_000 };
  const select = parseSelectRequest(JSON.stringify(body), T0 + 86_400, limits);
  return { id, select, form, isShared: false, finish: undefined };
}

function work(queue: QueryQueue): number[] {
  const { answers } = queue.work(ANSWER_BASE, ANSWER_BASE + ANSWER_BYTES / 2, TURN_MS);
  return answers.map(({ id }) => id);
}

/** A clock that a busy machine can not make jump; a little ahead of that of runs, which take TURN_MS at most. */
function steadyClock(): () => number {
  let nowMs = performance.now();
  return () => (nowMs += 0.01);
}

t.test('an export goes on at once where no samples come in', async (t) => {
  const queue = new QueryQueue(store.engine, DEFAULTS.limits);
  queue.add({ queries: [task(1, 'csv')], taken: [], cancelled: [] });
  t.same(work(queue), [1, 1], 'all pieces');
  t.ok(queue.isEmpty);
});

t.test('an export rests behind each piece while samples come in', async (t) => {
  const now = steadyClock();
  const queue = new QueryQueue(store.engine, DEFAULTS.limits, now);
  queue.add({ queries: [task(1, 'csv')], taken: [], cancelled: [] });
  queue.ingested(now());
  t.same(work(queue), [1], 'one piece');
  t.ok(queue.restMs(now()) > 0);
  t.equal(queue.restMs(now() + TURN_MS), 0, 'and has its turn again');
  queue.add({ queries: [task(2, 'json')], taken: [], cancelled: [] });
  t.equal(queue.restMs(now()), 0, 'others need not wait');
  t.ok(work(queue).includes(2));
});

t.test(
  'answers that are waited for are sent when they took a while, others together',
  async (t) => {
    let nowMs = performance.now();
    const queue = new QueryQueue(store.engine, DEFAULTS.limits, () => (nowMs += 0.2));
    const queries = [1, 2, 3, 4].map((id) => task(id, 'json'));
    const ids = (isAwaited?: () => boolean): number[] => {
      const end = ANSWER_BASE + ANSWER_BYTES / 2;
      return queue.work(ANSWER_BASE, end, TURN_MS, isAwaited).answers.map(({ id }) => id);
    };
    queue.add({ queries, taken: [], cancelled: [] });
    t.same(
      [1, 2, 3, 4].map(() => ids(() => true)),
      [[1], [2], [3], [4]],
    );
    t.ok(queue.isEmpty);
    queue.add({ queries, taken: [], cancelled: [] });
    t.same(
      ids(() => false),
      [1, 2, 3, 4],
    );
    queue.add({ queries, taken: [], cancelled: [] });
    let looks = 0;
    t.same(
      ids(() => ++looks > 1),
      [1, 2],
      'it may come to wait meanwhile',
    );
    t.same(ids(), [3, 4]);
  },
);
