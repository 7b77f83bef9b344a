import { TextCache } from '../model/text-cache.js';
import { NO_HOSTS, type HostList } from '../protocol/messages.js';
import type { ShardClient } from './shard-client.js';

/** The weight is hosts in all lists. */
const BOUNDS = { entriesMax: 64, charsMax: 1024, weightMax: 1_000_000 };

type Teller = Pick<ShardClient, 'index' | 'generation'>;

/** A list with the generation of the shard that told it: another one counts its versions anew. */
interface Told {
  readonly generation: number;
  readonly list: HostList;
}

/** Lists of hosts as the shards told them last, by cluster: they need not tell them again. */
export class KnownHosts {
  readonly #clusters = new TextCache<(Told | undefined)[]>(BOUNDS);

  get(cluster: string, { index, generation }: Teller): HostList {
    const told = this.#clusters.get(cluster)?.[index];
    return told?.generation === generation ? told.list : NO_HOSTS;
  }

  /** Keeps a list; returns the one it had if that is the same. */
  keep(cluster: string, shard: Teller, list: HostList): HostList {
    const known = this.get(cluster, shard);
    if (known.version === list.version) return known;
    let lists = this.#clusters.get(cluster);
    if (!lists) {
      lists = [];
      this.#clusters.set(cluster, lists);
    }
    lists[shard.index] = { generation: shard.generation, list };
    this.#clusters.note(list.names.length + 1);
    return list;
  }
}
