import { events, leases } from '../kube/builtin-resources.ts';
import type { Manager } from '../kube/manager.ts';
import { controllers } from './all.ts';
import { createContext } from './create-context.ts';
import { cachingRights } from './runtime/caches.ts';
import type { Right } from './runtime/rights.ts';
import type { InstallationSettings } from './runtime/settings.ts';

/**
 * Rights of the manager itself, which it needs to hold the lease, write events, and fill the caches that the
 * controllers share.
 */
export const sharedRights: readonly Right[] = [
  { resource: leases, verbs: ['get', 'create', 'update'], within: 'installation' },
  { resource: events, verbs: ['create', 'patch'] },
  ...cachingRights,
];

/** Adds every controller to the manager. */
export function addControllers(manager: Manager, installation: InstallationSettings): void {
  const context = createContext(manager, installation);
  manager.addReadyCheck('admission policies', () => context.policies.problem);
  for (const { setup } of controllers) setup(manager, context);
}
