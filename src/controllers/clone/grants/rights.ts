import { cloneGrants } from '../../../api/clone-grant.ts';
import { namespaces } from '../../../kube/builtin-resources.ts';
import type { Right } from '../../runtime/rights.ts';

/** The rights that are needed to grant a clone from another namespace. */
export const issueRights: readonly Right[] = [
  { resource: cloneGrants, verbs: ['get', 'create'] },
  // The age of the source's namespace is compared with that of the object that refers to it.
  { resource: namespaces, verbs: ['get'] },
];
