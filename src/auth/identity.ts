/** What a caller may be allowed: `admin` is free, debug, checkpoint, archive and configuration. */
export const PERMISSIONS = ['write', 'query', 'admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Clusters that a permission is limited to; null = all. */
export type ClusterSet = ReadonlySet<string> | null;

/** Who makes a request, and what he may do. */
export interface Identity {
  /** For the log, and for limits that hold for each caller: such as the subject of a token. */
  readonly name: string;
  /** A permission that is not in it is not had. */
  readonly grants: ReadonlyMap<Permission, ClusterSet>;
}

/** May do anything: who comes where no keys are set. */
export const ANYONE: Identity = {
  name: 'anonymous',
  grants: new Map(PERMISSIONS.map((permission) => [permission, null])),
};

/** Whether an identity may do something with a cluster. */
export function allows(identity: Identity, permission: Permission, cluster: string): boolean {
  const clusters = identity.grants.get(permission);
  return clusters !== undefined && (clusters === null || clusters.has(cluster));
}
