import { events, persistentVolumeClaims, pods } from '../../kube/builtin-resources.ts';
import type { Right } from '../runtime/rights.ts';

/** What making transfer pods, following them and telling of them on a claim needs. */
export const transferRights: readonly Right[] = [
  { resource: pods, verbs: ['get', 'create', 'delete'] },
  { resource: persistentVolumeClaims, verbs: ['patch'] },
  // Why a pod does not start stands nowhere else.
  { resource: events, verbs: ['list'] },
];
