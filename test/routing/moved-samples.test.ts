import t from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import { parseJobStatsRequest } from '../../src/model/parse-job-stats.js';
import { parseSelectRequest } from '../../src/model/parse-selection.js';
import type { ShardAnswer } from '../../src/protocol/messages.js';
import type { JobStatsTask, SelectSummary, SelectTask } from '../../src/protocol/select.js';
import { JobStatsRouter } from '../../src/routing/job-stats-router.js';
import type { AnswerReceiver, ArchiveTarget } from '../../src/routing/query-port.js';
import { LowPriority } from '../../src/routing/low-priority.js';
import { SelectRouter } from '../../src/routing/select-router.js';
import type { SelectSink } from '../../src/routing/store.js';
import type { OutputForm } from '../../workers/output/forms.js';

type Task = SelectTask | JobStatsTask;

/** A shard, or the archive, that answers when the test wants it to. */
class Target implements ArchiveTarget {
  readonly asked: { task: Task; receiver: AnswerReceiver }[] = [];
  readonly cancelled: number[] = [];
  /** All that is archived is before this second. */
  boundSec = 0;

  needed(wanted: boolean | undefined): (range: { fromSec: number }) => boolean {
    const { boundSec } = this;
    return ({ fromSec }) => wanted ?? fromSec < boundSec;
  }

  query(task: Task, receiver: AnswerReceiver): void {
    this.asked.push({ task, receiver });
  }

  taken(): void {
    // It does not wait for anybody.
  }

  cancel(id: number): void {
    this.cancelled.push(id);
  }

  piece(text: string): void {
    this.asked.at(-1)!.receiver.onPiece!(Buffer.from(text), 0);
  }

  async done(text = '', more: Partial<ShardAnswer> = {}): Promise<void> {
    const { task, receiver } = this.asked.at(-1)!;
    const summary: SelectSummary = {
      marks: [],
      partials: [],
      results: [1],
      problems: [],
      points: 1,
    };
    const bytes = Buffer.from(text);
    const own = 'select' in task ? { select: summary } : {};
    receiver.done({ id: task.id, address: 0, bytes: bytes.length, ...own, ...more }, bytes);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class Sink implements SelectSink {
  text = '';
  error = '';
  isAborted = false;
  isOver = false;

  deliver(answer: Parameters<SelectSink['deliver']>[0]): void {
    this.isOver = true;
    if (answer.ok) this.text += Buffer.from(answer.bytes).toString();
    else this.error = answer.error.message;
  }

  write(bytes: Uint8Array): boolean {
    this.text += Buffer.from(bytes).toString();
    return true;
  }

  end(): void {
    this.isOver = true;
  }

  abort(error: Error): void {
    this.isAborted = true;
    this.error = error.message;
  }
}

const FROM = 1000;

function ask(form: OutputForm, archive?: boolean): { shard: Target; archive: Target; sink: Sink } {
  const [shard, other, sink] = [new Target(), new Target(), new Sink()];
  let id = 0;
  const router = new SelectRouter(
    [shard],
    () => 0,
    DEFAULTS.limits,
    () => id++,
    other,
    new LowPriority(DEFAULTS.limits),
  );
  const body = { cluster: 'c', from: FROM, to: 2000, select: { metric: 'm' }, archive };
  const limits = { selectionsMax: 10, hostsMax: 10 };
  router.select(parseSelectRequest(JSON.stringify(body), 3000, limits), form, sink);
  return { shard, archive: other, sink };
}

t.test('what memory has all of is answered by shards', async (t) => {
  for (const form of ['json', 'ndjson'] as const) {
    const { shard, archive, sink } = ask(form);
    archive.boundSec = FROM;
    shard.piece('{}');
    await shard.done();
    t.match(sink.text, /\{\}/);
    t.equal(sink.isOver, true);
    t.equal(archive.asked.length, 0);
  }
});

t.test('samples that move meanwhile: it is made again, as long as nothing was sent', async (t) => {
  const { shard, archive, sink } = ask('json');
  shard.piece('{"half":1}');
  archive.boundSec = FROM + 1;
  await shard.done();
  t.equal(sink.isOver, false);
  archive.piece('{"all":1}');
  await archive.done();
  t.equal(sink.text, '{"from":1000,"to":2000,"results":[{"all":1}],"problems":[]}');

  const streamed = ask('ndjson');
  streamed.archive.boundSec = FROM + 1;
  await streamed.shard.done();
  streamed.archive.piece('{"all":1}\n');
  await streamed.archive.done();
  t.equal(streamed.sink.text, '{"all":1}\n', 'nothing had come yet');
  t.equal(streamed.sink.isOver, true);

  const begun = ask('csv');
  begun.shard.piece('half\n');
  begun.archive.boundSec = FROM + 1;
  await begun.shard.done();
  t.equal(begun.sink.isAborted, true);
  t.match(begun.sink.error, /went to the archive meanwhile; send it again/);
  t.equal(begun.archive.asked.length, 0);

  const memoryAlone = ask('json', false);
  memoryAlone.archive.boundSec = FROM + 1;
  await memoryAlone.shard.done();
  t.equal(memoryAlone.sink.isOver, true, 'that was wanted');
});

t.test('jobs: those that need the archive, and later those whose samples moved', async (t) => {
  const [shard, archive] = [new Target(), new Target()];
  let id = 0;
  const router = new JobStatsRouter(
    [shard],
    () => 0,
    () => id++,
    archive,
  );
  const jobs = [100, 500, 900].map((from) => ({ id: from, hosts: 'h', from, to: 1000 }));
  const body = JSON.stringify({ cluster: 'c', jobs, metrics: 'm' });
  const request = parseJobStatsRequest(body, 3000, { jobsMax: 10, hostsMax: 10 });
  const hostsOf = ({ asked }: Target): number[] => {
    const { task } = asked.at(-1)!;
    return (task as JobStatsTask).jobStats.jobs.map(({ hosts }) => hosts.length);
  };
  archive.boundSec = 200;
  const answer = router.run(request);
  t.same(hostsOf(shard), [0, 1, 1]);
  t.same(hostsOf(archive), [1, 0, 0]);
  const share = { metrics: [], rows: new Float64Array(0), problems: [] };
  await shard.done('', { jobStats: share });
  archive.boundSec = 600;
  await archive.done('', { jobStats: share });
  t.same(hostsOf(shard), [1, 1, 1], 'a shard puts it together');
  t.equal((shard.asked.at(-1)!.task as JobStatsTask).finish!.length, 2);
  await shard.done('first');
  t.same(hostsOf(shard), [0, 0, 1]);
  t.same(hostsOf(archive), [1, 1, 0]);
  await archive.done('', { jobStats: share });
  await shard.done('', { jobStats: share });
  await shard.done('second');
  t.equal(Buffer.from(await answer).toString(), 'second');

  archive.boundSec = 1000;
  const old = router.run(request);
  t.same(hostsOf(archive), [1, 1, 1], 'alone, where all need it');
  await archive.done('third');
  t.equal(Buffer.from(await old).toString(), 'third');
});
