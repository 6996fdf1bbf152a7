import type { CDISpec } from '../../api/cdi.ts';
import { deployments, services } from '../../kube/builtin-resources.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';

/** One of the Deployments that an installation consists of. Its only container has the name of {@link container}. */
export interface Part {
  readonly deployment: string;
  readonly container: string;
  /** Field of CDI.spec.infra with the number of its replicas. */
  readonly replicas: keyof NonNullable<CDISpec['infra']>;
  /** The fewest replicas that it may have: without the controllers, nobody would read the CDI object any more. */
  readonly fewestReplicas: number;
  /** Field of CDI.spec.customizeComponents.flags with its flags. */
  readonly flags: 'api' | 'controller' | 'uploadProxy';
}

/** The Deployments of an installation, which whoever installs it makes. */
export const parts = [
  {
    deployment: 'cdi-deployment',
    container: 'cdi-controller',
    replicas: 'deploymentReplicas',
    fewestReplicas: 1,
    flags: 'controller',
  },
  {
    deployment: 'cdi-apiserver',
    container: 'cdi-apiserver',
    replicas: 'apiServerReplicas',
    fewestReplicas: 0,
    flags: 'api',
  },
  {
    deployment: 'cdi-uploadproxy',
    container: 'cdi-uploadproxy',
    replicas: 'uploadProxyReplicas',
    fewestReplicas: 0,
    flags: 'uploadProxy',
  },
] as const satisfies readonly Part[];

export const deploymentNames: readonly string[] = parts.map(({ deployment }) => deployment);

/** The objects of an installation that CDI.spec.customizeComponents may patch. */
export const customizableKinds: readonly {
  readonly resource: Resource<KubeObject>;
  readonly names: readonly string[];
}[] = [
  { resource: deployments, names: deploymentNames },
  { resource: services, names: ['cdi-api', 'cdi-uploadproxy', 'cdi-prometheus-metrics'] },
];
