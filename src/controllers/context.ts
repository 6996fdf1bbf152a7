import type { KubeClient } from '../kube/client.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { AdmissionPolicies } from './admission-policies.ts';
import type { Caches } from './caches.ts';
import type { ConfigView } from './config-view.ts';

/** What every controller is given. */
export interface ControllerContext {
  readonly client: KubeClient;
  readonly events: EventRecorder;
  readonly caches: Caches;
  readonly config: ConfigView;
  readonly policies: AdmissionPolicies;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
