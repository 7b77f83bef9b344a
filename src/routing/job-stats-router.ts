import { StoreError } from '../model/errors.js';
import type { JobStatsRequest } from '../model/selection.js';
import type { ShardAnswer } from '../protocol/messages.js';
import type { JobStatsShare, JobStatsTask } from '../protocol/select.js';
import type { ArchiveTarget, QueryTarget } from './query-port.js';

/**
 * Sends requests for statistics of jobs to the shards that own their hosts, and jobs of which memory does
 * not have it all to the archive; a shard puts it together.
 */
export class JobStatsRouter {
  readonly #shards: readonly QueryTarget[];
  readonly #shardOf: (cluster: string, host: string) => number;
  readonly #nextId: () => number;
  readonly #archive: ArchiveTarget | undefined;

  constructor(
    shards: readonly QueryTarget[],
    shardOf: (cluster: string, host: string) => number,
    nextId: () => number,
    archive: ArchiveTarget | undefined,
  ) {
    this.#shards = shards;
    this.#shardOf = shardOf;
    this.#nextId = nextId;
    this.#archive = archive;
  }

  /** The answer's JSON text. Rejects with StoreError. */
  async run(request: JobStatsRequest, isLow = false): Promise<Uint8Array> {
    for (;;) {
      const isArchived = this.#isArchived(request);
      const text = await this.#answer(request, isArchived, isLow);
      // What a job needs may have left memory for the archive before all shards had read it.
      const isNow = this.#isArchived(request);
      if (isNow.every((needed, job) => isArchived[job] || !needed)) return text;
    }
  }

  /** By job, whether the archive has to be asked. */
  #isArchived({ jobs, archive }: JobStatsRequest): boolean[] {
    const needed = this.#archive?.needed(archive);
    return jobs.map((job) => needed?.(job) ?? false);
  }

  async #answer(
    request: JobStatsRequest,
    isArchived: readonly boolean[],
    isLow: boolean,
  ): Promise<Uint8Array> {
    const archive = this.#archive!;
    const ask: Ask = (shard, jobs, isShared, finish) =>
      this.#ask(shard, { jobStats: jobs, isShared, finish, isLow });
    if (isArchived.length > 0 && isArchived.every((needed) => needed)) {
      return textOf(await ask(archive, request, false, undefined));
    }
    const isSplit = isArchived.includes(true);
    const own = isSplit ? jobsOf(request, (job) => !isArchived[job]) : request;
    const shards = this.#shardsOf(own);
    if (shards.length === 1 && !isSplit) {
      return textOf(await ask(shards[0]!, request, false, undefined));
    }
    const asked = shards.map((shard) => ask(shard, own, true, undefined));
    if (isSplit) {
      const others = jobsOf(request, (job) => isArchived[job]!);
      asked.push(ask(archive, others, true, undefined));
    }
    const shares = (await Promise.all(asked)).map(({ answer }) => answer.jobStats!);
    return textOf(await ask(shards[0]!, request, false, shares));
  }

  #shardsOf({ jobs }: JobStatsRequest): QueryTarget[] {
    const indexes = new Set<number>();
    for (const { cluster, hosts } of jobs) {
      for (const host of hosts) {
        indexes.add(this.#shardOf(cluster, host));
        if (indexes.size === this.#shards.length) return [...this.#shards];
      }
    }
    return indexes.size === 0
      ? [this.#shards[0]!]
      : [...indexes].map((index) => this.#shards[index]!);
  }

  #ask(shard: QueryTarget, asked: Omit<JobStatsTask, 'id'>): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const task: JobStatsTask = { id: this.#nextId(), ...asked };
      shard.query(task, {
        done: (answer, memory) => {
          if (answer instanceof StoreError) reject(answer);
          else if (answer.error) reject(StoreError.fromData(answer.error));
          // The shard's memory is used for other answers when this returns.
          else {
            const { address, bytes } = answer;
            resolve({ answer, text: Buffer.from(memory.subarray(address, address + bytes)) });
          }
        },
      });
    });
  }
}

type Ask = (
  shard: QueryTarget,
  jobs: JobStatsRequest,
  isShared: boolean,
  finish: readonly JobStatsShare[] | undefined,
) => Promise<Answered>;

interface Answered {
  readonly answer: ShardAnswer;
  readonly text: Uint8Array;
}

/** The same jobs in the same order; those that are not meant have no hosts, so that nothing is found. */
function jobsOf(request: JobStatsRequest, isMeant: (job: number) => boolean): JobStatsRequest {
  const jobs = request.jobs.map((job, index) => (isMeant(index) ? job : { ...job, hosts: [] }));
  return { ...request, jobs };
}

function textOf({ text }: Answered): Uint8Array {
  return text;
}
