import { randomBytes } from 'node:crypto';
import type { FromShard, ShardStart } from '../src/protocol/messages.js';
import type { Archiver, ArchiverParts } from './archive/archiver.js';
import type { Durability } from './durability.js';
import { freeWithin } from './free-bounds.js';

/**
 * The archiver of a shard, if there is an archive; it tells the front what it writes. Without one its code is not
 * loaded: 43 modules that write Parquet.
 */
export async function makeArchiver(
  { memory, store, shard, folders, port }: ShardStart,
  parts: Pick<ArchiverParts, 'engine' | 'kernel' | 'retention' | 'counters'>,
  durability: Durability | undefined,
): Promise<Archiver | undefined> {
  if (!store.archive) return undefined;
  const { Archiver } = await import('./archive/archiver.js');
  const tell = (message: FromShard): void => port.postMessage(message);
  return new Archiver(
    {
      ...parts,
      memory,
      store,
      folder: store.archive.directory,
      // Without a log each start is a store of its own.
      origin: folders?.origin ?? `${randomBytes(4).toString('hex')}-0-${shard}`,
      settle: (run, bounds) =>
        durability ? durability.freeArchived(run, bounds) : freeWithin(parts.engine, bounds),
      warn: (warning) => tell({ warning }),
      done: (archived) => tell({ archived }),
    },
    durability?.archiveRun ?? 0,
  );
}
