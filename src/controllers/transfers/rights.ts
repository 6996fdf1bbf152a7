import { events, persistentVolumeClaims, pods } from '../../kube/builtin-resources.ts';
import type { Right } from '../runtime/rights.ts';

/** Rights that are needed to create transfer pods, follow them and report on their claims. */
export const transferRights: readonly Right[] = [
  { resource: pods, verbs: ['get', 'create', 'delete'] },
  { resource: persistentVolumeClaims, verbs: ['patch'] },
  // Only events state why a pod does not start.
  { resource: events, verbs: ['list'] },
];
