import type { Row, Watched } from '../rows/row.ts';

/** What a reader may see. */
export interface Access {
  /** Equal for readers who may see the same. */
  readonly id: string;
  /** Whether the reader may list the resource in the namespace. */
  mayList(resource: Watched, namespace: string): boolean;
}

/** Of whoever runs this process: the API server has said what it may see. */
export const everything: Access = { id: 'everything', mayList: () => true };

/** Returns a row as a reader may see it; undefined where the reader may not. Pure. */
export function visibleTo(access: Access, row: Row): Row | undefined {
  if (!access.mayList(row.resource, row.namespace)) return undefined;
  if (!row.details || row.resource === 'persistentvolumeclaims') return row;
  if (access.mayList('persistentvolumeclaims', row.namespace)) return row;
  // The strategy is on the DataVolume, too; the rest is on the claim alone.
  return { ...row, details: { strategy: row.details.strategy } };
}
