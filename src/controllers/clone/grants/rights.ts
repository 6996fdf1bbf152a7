import { cloneGrants } from '../../../api/clone-grant.ts';
import { namespaces } from '../../../kube/builtin-resources.ts';
import type { Right } from '../../runtime/rights.ts';

/** What granting a clone between namespaces needs. */
export const issueRights: readonly Right[] = [
  { resource: cloneGrants, verbs: ['get', 'create'] },
  // Whether the namespace of the source is older than what names it.
  { resource: namespaces, verbs: ['get'] },
];
