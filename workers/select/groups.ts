import type { Aggregate, GroupKey, Selection } from '../../src/model/selection.js';
import type { GroupNames } from '../../src/protocol/select.js';
import type { Level } from '../engine/level-tree.js';
import type { Metric } from '../engine/metrics.js';
import { makePart, type Part } from './parts.js';
import { compareIds, ListedUnits, type Unit, type Units } from './units.js';

/** Units of a host that were found, with what they may be grouped by. */
export interface FoundHost {
  readonly level: Level;
  readonly cluster: string;
  readonly subCluster: string;
  /** As its cluster has it. */
  readonly metric: Metric;
  readonly units: Units;
}

/** Units that are answered as one result. */
export interface ResultGroup {
  readonly names: GroupNames;
  readonly parts: Part[];
}

/** Whether no group has units of two hosts: then results are made host by host. */
export function areOfOneHost({ by }: Selection): boolean {
  return by === null || by.includes('host');
}

/** How units of a group are combined; null: there is no strategy, and none was named. */
export function operationOf(selection: Selection, metric: Metric): Aggregate | null {
  return selection.aggregate ?? metric.aggregation;
}

/** Groups of units in a stable order: by cluster, sub-cluster, host, then type and id. */
export function groupUnits(
  hosts: readonly FoundHost[],
  selection: Selection,
  operation: Aggregate,
  scopeKey: string,
): ResultGroup[] {
  const byKey = new Map<string, Members>();
  const { by } = selection;
  // Of groups over hosts other shards may have units, too.
  const areWhole = areOfOneHost(selection);
  const isByUnit = by === null || by.includes('type') || by.includes('id');
  for (const host of hosts) {
    // Fast path: all units of a host are of one group.
    if (!isByUnit) addHost(byKey, namesOf(host, undefined, by), host);
    else for (const unit of host.units.list) addUnit(byKey, namesOf(host, unit, by), host, unit);
  }
  return [...byKey.values()]
    .map(({ names, hosts: members, count }) => ({
      names,
      parts: [...members].map(([host, member]) => {
        const units = member ? new ListedUnits(member) : host.units;
        const isWhole = selection.ids === null && units.count === host.units.count;
        const isNamed = isWhole || (units.count === 1 && units.list[0]!.type !== '');
        const name = isWhole && units.count > 1 ? scopeKey : '';
        return makePart(
          host.level,
          host.metric,
          units,
          name,
          operation,
          areWhole && count === 1,
          isNamed,
        );
      }),
    }))
    .sort((a, b) => compareNames(a.names, b.names));
}

/** Units of a group, host by host. */
interface Members {
  readonly names: GroupNames;
  /** undefined: all units of a host. */
  readonly hosts: Map<FoundHost, Unit[] | undefined>;
  count: number;
}

function addHost(byKey: Map<string, Members>, names: GroupNames, host: FoundHost): void {
  const group = membersOf(byKey, names);
  group.count += host.units.count;
  group.hosts.set(host, undefined);
}

function addUnit(
  byKey: Map<string, Members>,
  names: GroupNames,
  host: FoundHost,
  unit: Unit,
): void {
  const group = membersOf(byKey, names);
  group.count++;
  const known = group.hosts.get(host);
  if (known) known.push(unit);
  else group.hosts.set(host, [unit]);
}

function membersOf(byKey: Map<string, Members>, names: GroupNames): Members {
  const key = JSON.stringify(Object.values(names));
  let group = byKey.get(key);
  if (!group) byKey.set(key, (group = { names, hosts: new Map(), count: 0 }));
  return group;
}

/** `unit`: undefined if groups are not made by it. */
function namesOf(
  host: FoundHost,
  unit: Unit | undefined,
  by: readonly GroupKey[] | null,
): GroupNames {
  const has = (key: GroupKey): boolean => by === null || by.includes(key);
  return {
    cluster: has('cluster') || has('host') ? host.cluster : '',
    subCluster: has('sub-cluster') ? host.subCluster : '',
    host: has('host') ? host.level.name : '',
    type: unit && (has('type') || has('id')) ? unit.type : '',
    id: unit && has('id') ? unit.id : '',
    subId: unit && has('id') ? unit.subId : '',
  };
}

/** The order of results. */
export function compareNames(a: GroupNames, b: GroupNames): number {
  return (
    compareTexts(a.cluster, b.cluster) ||
    compareTexts(a.subCluster, b.subCluster) ||
    compareTexts(a.host, b.host) ||
    compareTexts(a.type, b.type) ||
    compareIds(a.id, b.id) ||
    compareTexts(a.subId, b.subId)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
