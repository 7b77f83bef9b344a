import { StoreError } from '../model/errors.js';
import type { JobStatsRequest } from '../model/selection.js';
import type { ShardAnswer } from '../protocol/messages.js';
import type { JobStatsShare, JobStatsTask } from '../protocol/select.js';
import type { ShardClient } from './shard-client.js';

/** Sends requests for statistics of jobs to the shards that own their hosts; one of them puts it together. */
export class JobStatsRouter {
  readonly #shards: readonly ShardClient[];
  readonly #shardOf: (cluster: string, host: string) => number;
  readonly #nextId: () => number;

  constructor(
    shards: readonly ShardClient[],
    shardOf: (cluster: string, host: string) => number,
    nextId: () => number,
  ) {
    this.#shards = shards;
    this.#shardOf = shardOf;
    this.#nextId = nextId;
  }

  /** The answer's JSON text. Rejects with StoreError. */
  async run(request: JobStatsRequest): Promise<Uint8Array> {
    const shards = this.#shardsOf(request);
    if (shards.length === 1) return textOf(await this.#ask(shards[0]!, request, false, undefined));
    const answers = await Promise.all(
      shards.map((shard) => this.#ask(shard, request, true, undefined)),
    );
    const shares = answers.map(({ answer }) => answer.jobStats!);
    return textOf(await this.#ask(shards[0]!, request, false, shares));
  }

  #shardsOf({ jobs }: JobStatsRequest): ShardClient[] {
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

  #ask(
    shard: ShardClient,
    jobStats: JobStatsRequest,
    isShared: boolean,
    finish: readonly JobStatsShare[] | undefined,
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const task: JobStatsTask = { id: this.#nextId(), jobStats, isShared, finish };
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

interface Answered {
  readonly answer: ShardAnswer;
  readonly text: Uint8Array;
}

function textOf({ text }: Answered): Uint8Array {
  return text;
}
