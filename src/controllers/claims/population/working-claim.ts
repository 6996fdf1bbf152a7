import { userAnnotation } from '../../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { OwnerReference } from '../../../kube/resource.ts';
import { marksFor } from '../../objects/made-for.ts';
import { pickAnnotations } from '../../objects/pick-annotations.ts';
import { SELECTED_NODE_ANNOTATION } from '../wait-for-first-consumer.ts';

/** Annotations of the target that say where and when a working claim gets its volume. */
const PLACING = [SELECTED_NODE_ANNOTATION, userAnnotation.bindImmediateRequested] as const;

/** Annotations that shape the pods which work on a claim. */
const POD_SHAPING = [
  userAnnotation.podNetworks,
  userAnnotation.podDefaultNetwork,
  userAnnotation.istioInject,
  userAnnotation.linkerdInject,
  userAnnotation.podPriorityClassName,
  userAnnotation.podServiceAccountName,
] as const;

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

export interface WorkingClaimOptions {
  readonly namespace: string;
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** What the driver fills the claim from, if anything. */
  readonly dataSource?: { readonly apiGroup?: string; readonly kind: string; readonly name: string };
  /** Quantity; the target's where it is missing. */
  readonly storage?: string;
  /** What is to be other than the target's. */
  readonly spec?: Pick<ClaimSpec, 'storageClassName' | 'accessModes' | 'volumeMode'>;
  readonly owner?: OwnerReference;
  /** Whether it need not be where the target's consumer is. */
  readonly anyNode?: boolean;
  /**
   * Where it is in another namespace than the target: the annotations of a claim there, which shape its pods. Those of the target are
   * not for a namespace in which its author may have no right to make pods.
   */
  readonly localAnnotations?: Readonly<Record<string, string>> | undefined;
}

/** A claim like the target, without its data source, that is filled first and then gives the target its volume. */
export function workingClaim(target: PersistentVolumeClaim, options: WorkingClaimOptions): PersistentVolumeClaim {
  const { accessModes, storageClassName, volumeMode, resources, selector, volumeAttributesClassName } = {
    ...target.spec,
    ...options.spec,
  };
  const { namespace, annotations = {} } = target.metadata ?? {};
  const marks = marksFor(target);
  const placing = PLACING.filter((name) => !options.anyNode || name !== SELECTED_NODE_ANNOTATION);
  const shaping =
    options.namespace === namespace
      ? pickAnnotations(annotations, [...POD_SHAPING, userAnnotation.podRetainAfterCompletion])
      : pickAnnotations(options.localAnnotations, POD_SHAPING);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: options.name,
      namespace: options.namespace,
      labels: marks.labels,
      annotations: {
        ...pickAnnotations(annotations, placing),
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
