import type { CDISpec, NodePlacement } from '../../api/cdi.ts';
import type { Deployment } from '../../kube/builtin-resources.ts';
import { argumentsOf } from './flags.ts';
import type { Part } from './installation.ts';

type PodSpec = NonNullable<NonNullable<Deployment['spec']>['template']['spec']>;

/** What CDI.spec says of a Deployment of the installation; what is undefined is left as the manifest has it. */
export interface DeploymentSettings {
  readonly replicas?: number | undefined;
  readonly placement?: NodePlacement | undefined;
  readonly priorityClass?: string | undefined;
  readonly imagePullPolicy?: string | undefined;
  readonly imagePullSecrets?: PodSpec['imagePullSecrets'] | undefined;
  /** Arguments of the container after its role. */
  readonly args?: readonly string[] | undefined;
}

/** Returns what CDI.spec says of a part. */
export function settingsOf(part: Part, spec: CDISpec): DeploymentSettings {
  const { nodeSelector, affinity, tolerations } = spec.infra ?? {};
  const replicas = spec.infra?.[part.replicas];
  const args = argumentsOf(part, spec);
  const placement = {
    ...(nodeSelector && { nodeSelector }),
    ...(affinity && { affinity }),
    ...(tolerations && { tolerations }),
  };
  const secrets = spec.config?.imagePullSecrets ?? [];
  return {
    ...(typeof replicas === 'number' && { replicas: Math.max(replicas, part.fewestReplicas) }),
    ...(Object.keys(placement).length > 0 && { placement }),
    ...(spec.priorityClass && { priorityClass: spec.priorityClass }),
    ...(spec.imagePullPolicy && { imagePullPolicy: spec.imagePullPolicy }),
    ...(secrets.length > 0 && { imagePullSecrets: secrets }),
    ...(args.length > 0 && { args }),
  };
}

/** Returns the Deployment of a part with these settings. Those of its nodes are added to what the manifest asks for. */
export function withSettings<T extends Pick<Deployment, 'spec'>>(
  part: Part,
  manifest: T,
  { replicas, placement = {}, priorityClass, imagePullPolicy, imagePullSecrets = [], args = [] }: DeploymentSettings,
): T {
  const { spec } = manifest;
  const pod = spec?.template.spec;
  if (!spec || !pod) return manifest;
  const { nodeSelector, affinity, tolerations = [] } = placement;
  const placed: PodSpec = {
    ...pod,
    ...(nodeSelector && { nodeSelector: { ...pod.nodeSelector, ...nodeSelector } }),
    ...(affinity && { affinity: { ...pod.affinity, ...affinity } }),
    ...(tolerations.length > 0 && { tolerations: joined(pod.tolerations, tolerations as PodSpec['tolerations']) }),
    ...(priorityClass && { priorityClassName: priorityClass }),
    ...(imagePullSecrets.length > 0 && { imagePullSecrets: joined(pod.imagePullSecrets, imagePullSecrets) }),
    containers: pod.containers.map((container) =>
      container.name !== part.container
        ? container
        : {
            ...container,
            ...(imagePullPolicy && { imagePullPolicy }),
            ...(args.length > 0 && { args: [...(container.args ?? []), ...args] }),
          },
    ),
  };
  return {
    ...manifest,
    spec: {
      ...spec,
      ...(replicas !== undefined && { replicas }),
      template: { ...spec.template, spec: placed },
    },
  };
}

/** Returns the items of both lists, each once. */
function joined<T>(some: readonly T[] = [], more: readonly T[] = []): T[] {
  return [...new Map([...some, ...more].map((item) => [JSON.stringify(item), item])).values()];
}
