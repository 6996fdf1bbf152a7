import { persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../kube/event-source.ts';
import { keyIf } from '../../kube/key.ts';
import { workedFor } from '../objects/work-index.ts';
import { mayOwn } from '../runtime/rights.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { succeededClaims } from './predecessor.ts';
import { transferRights } from './rights.ts';
import type { TransferKind } from './transfer-kind.ts';
import { TransferMetrics } from './transfer-metrics.ts';
import { TransferReconciler } from './transfer-reconciler.ts';

/** Returns the controller of a kind of transfer that a single pod carries out. */
export function transferController<Request extends { readonly scratch: boolean }>(
  kind: TransferKind<Request>,
): ControllerSetup {
  return {
    rights: [
      ...transferRights,
      // A transfer may need a scratch claim.
      { resource: persistentVolumeClaims, verbs: ['get', 'create', 'delete'] },
      mayOwn(persistentVolumeClaims),
      ...kind.rights,
    ],
    setup(host, context) {
      const { caches } = context;
      const operation = kind.operate(context, host);
      host.addController(new TransferReconciler(kind, operation, context, TransferMetrics.of(host.metrics.registry)), {
        watches: [
          enqueueFrom(caches.claims, (claim) => keyIf(claim, kind.isRequested(claim))),
          enqueueFrom(caches.pods, (pod) => [...workedFor(pod), ...succeededClaims(pod)]),
          ...(operation.watches ?? []),
        ],
      });
    },
  };
}
