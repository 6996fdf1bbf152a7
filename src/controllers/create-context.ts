import type { Manager } from '../kube/manager.ts';
import { ProgressPoll } from './progress/progress-poll.ts';
import { AdmissionPolicies } from './runtime/admission-policies.ts';
import { createCaches } from './runtime/caches.ts';
import { ConfigView } from './runtime/config-view.ts';
import type { ControllerContext } from './runtime/context.ts';
import type { InstallationSettings } from './runtime/settings.ts';

/** Creates what the controllers of a manager share; its caches are filled once the manager runs. */
export function createContext(manager: Manager, installation: InstallationSettings): ControllerContext {
  const caches = createCaches(manager);
  const now = () => Date.now();
  return {
    client: manager.client,
    events: manager.events,
    caches,
    config: new ConfigView(caches, installation),
    policies: new AdmissionPolicies(caches, installation.namespace, now),
    progress: new ProgressPoll(),
    version: installation.version,
    now,
  };
}
