import { userAnnotation } from '../../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { OwnerReference } from '../../../kube/resource.ts';
import { marksFor } from '../../objects/made-for.ts';
import { pickAnnotations } from '../../objects/pick-annotations.ts';
import { SELECTED_NODE_ANNOTATION } from '../wait-for-first-consumer.ts';

/** The annotations of the target that determine where and when a working claim gets its volume. */
const PLACING = [SELECTED_NODE_ANNOTATION, userAnnotation.bindImmediateRequested] as const;

/** The annotations that shape the pods that work on a claim. */
const POD_SHAPING = [
  userAnnotation.podNetworks,
  userAnnotation.podDefaultNetwork,
  userAnnotation.istioInject,
  userAnnotation.linkerdInject,
  userAnnotation.podPriorityClassName,
  userAnnotation.podServiceAccountName,
  userAnnotation.podNodeSelector,
] as const;

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

export interface WorkingClaimOptions {
  readonly namespace: string;
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The data source from which the CSI driver fills the claim, if any. */
  readonly dataSource?: { readonly apiGroup?: string; readonly kind: string; readonly name: string };
  /** Requested size as a quantity; defaults to the target's. */
  readonly storage?: string;
  /** Fields that override those of the target. */
  readonly spec?: Pick<ClaimSpec, 'storageClassName' | 'accessModes' | 'volumeMode'>;
  readonly owner?: OwnerReference;
  /** Whether the volume may be on any node, and not only where the target's consumer is. */
  readonly anyNode?: boolean;
  /**
   * For a working claim in another namespace than the target: the annotations of a claim in that namespace, which shape
   * the pods. Those of the target must not be used there, because its author may have no right to create pods in that
   * namespace.
   */
  readonly localAnnotations?: Readonly<Record<string, string>> | undefined;
}

/**
 * Returns a claim like the target, but without its data source; it is filled first, and then gives its volume to the
 * target.
 */
export function workingClaim(target: PersistentVolumeClaim, options: WorkingClaimOptions): PersistentVolumeClaim {
  const { accessModes, storageClassName, volumeMode, resources, selector, volumeAttributesClassName } = {
    ...target.spec,
    ...options.spec,
  };
  const { namespace, annotations = {} } = target.metadata ?? {};
  const marks = marksFor(target);
  const placing = PLACING.filter((name) => !options.anyNode || name !== SELECTED_NODE_ANNOTATION);
  const shaping = pickAnnotations(
    options.namespace === namespace ? annotations : options.localAnnotations,
    POD_SHAPING,
  );
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: options.name,
      namespace: options.namespace,
      labels: marks.labels,
      annotations: {
        ...pickAnnotations(annotations, [
          ...placing,
          userAnnotation.podRetainAfterCompletion,
          userAnnotation.verifyClone,
        ]),
        ...shaping,
        ...marks.annotations,
        ...options.annotations,
      },
      ...(options.owner ? { ownerReferences: [options.owner] } : {}),
    },
    spec: {
      ...(accessModes ? { accessModes } : {}),
      ...(storageClassName === undefined ? {} : { storageClassName }),
      ...(volumeMode ? { volumeMode } : {}),
      ...(selector ? { selector } : {}),
      ...(volumeAttributesClassName && !options.spec ? { volumeAttributesClassName } : {}),
      resources: {
        ...resources,
        requests: { ...resources?.requests, ...(options.storage ? { storage: options.storage } : {}) },
      },
      ...(options.dataSource ? { dataSource: { ...options.dataSource } } : {}),
    },
  };
}
