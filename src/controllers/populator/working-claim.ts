import { userAnnotation } from '../../api/annotations.ts';
import { EXCLUDE_FROM_BACKUP_LABEL, objectLabels } from '../../api/labels.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import { workForAnnotation, workForClaimAnnotation } from '../internal-annotations.ts';
import { SELECTED_NODE_ANNOTATION } from '../wait-for-first-consumer.ts';

/** Annotations of the target that shape the pods and the place of a working claim. */
const INHERITED = [
  SELECTED_NODE_ANNOTATION,
  userAnnotation.bindImmediateRequested,
  userAnnotation.podRetainAfterCompletion,
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
}

/** A claim like the target, without its data source, that is filled first and then gives the target its volume. */
export function workingClaim(target: PersistentVolumeClaim, options: WorkingClaimOptions): PersistentVolumeClaim {
  const { accessModes, storageClassName, volumeMode, resources, selector } = { ...target.spec, ...options.spec };
  const { namespace, name: targetName, uid, annotations = {} } = target.metadata ?? {};
  const inherited = INHERITED.flatMap((name) => {
    const value = annotations[name];
    return value === undefined || (options.anyNode && name === SELECTED_NODE_ANNOTATION)
      ? []
      : [[name, value] as const];
  });
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: options.name,
      namespace: options.namespace,
      labels: { ...objectLabels, [EXCLUDE_FROM_BACKUP_LABEL]: 'true' },
      annotations: {
        ...Object.fromEntries(inherited),
        [workForAnnotation]: uid ?? '',
        [workForClaimAnnotation]: `${namespace}/${targetName}`,
        ...options.annotations,
      },
      ...(options.owner ? { ownerReferences: [options.owner] } : {}),
    },
    spec: {
      ...(accessModes ? { accessModes } : {}),
      ...(storageClassName === undefined ? {} : { storageClassName }),
      ...(volumeMode ? { volumeMode } : {}),
      ...(selector ? { selector } : {}),
      resources: {
        ...resources,
        requests: { ...resources?.requests, ...(options.storage ? { storage: options.storage } : {}) },
      },
      ...(options.dataSource ? { dataSource: { ...options.dataSource } } : {}),
    },
  };
}
