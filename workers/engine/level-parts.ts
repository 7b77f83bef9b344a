import { LEVEL_TYPES } from '../../src/model/cluster.js';
import type { Level } from './level-tree.js';

/** Where below its host a level is. */
export interface LevelParts {
  /** `node` for the host itself. */
  readonly type: string;
  readonly id: string;
  /** '' = none. */
  readonly subType: string;
  readonly subId: string;
  /** Names of the levels below the host, each with a slash behind it. */
  readonly path: string;
}

const HOST: LevelParts = { type: 'node', id: '', subType: '', subId: '', path: '' };

/**
 * Type and sub-type of a host's level or one below it. A sub-type of the node, such as a file system,
 * is a level directly below it, and told by its type, which is none of the known ones.
 */
export function partsOf(level: Level): LevelParts {
  const { type, id, name, parent } = level;
  if (type === '') return HOST;
  const isBelowHost = parent!.type === '';
  if (!isBelowHost) {
    const path = `${parent!.name}/${name}/`;
    return { type: parent!.type, id: parent!.id, subType: type, subId: id, path };
  }
  const path = `${name}/`;
  if (LEVEL_TYPES.includes(type) || type === 'cpu') return { ...HOST, type, id, path };
  return { ...HOST, subType: type, subId: id, path };
}
