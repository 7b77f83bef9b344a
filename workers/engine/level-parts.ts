import { LEVEL_TYPES } from '../../src/model/cluster.js';
import type { Level } from './level-tree.js';
import type { SeriesNames } from './parse-line.js';

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

/** Names of a series in a host's level or one below it. A sub-type of the node is told as a type. */
export function seriesNamesOf(level: Level, metric: string): SeriesNames {
  const above = level.parent!;
  const isHost = level.type === '';
  const isPart = above.type === '';
  const host = isHost ? level : isPart ? above : above.parent!;
  const part = isPart ? level : above;
  return {
    metric,
    cluster: host.parent!.name,
    host: host.name,
    type: isHost ? '' : part.type,
    typeId: isHost ? '' : part.id,
    stype: isPart ? '' : level.type,
    stypeId: isPart ? '' : level.id,
  };
}

/** Selector of the level of a series. */
export function pathOf(names: SeriesNames): string[] {
  const path = [names.cluster, names.host];
  if (names.type !== '') path.push(names.type + names.typeId);
  if (names.stype !== '') path.push(names.stype + names.stypeId);
  return path;
}
