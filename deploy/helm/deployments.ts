import type { Manifest } from './sources.ts';
import type { TemplateText } from './template-text.ts';

/** The name that the manifests have for the image, which kustomize replaces as well. */
const IMAGE = 'diskpress';

/** The Deployments, and what each is called among the values. */
const components: Readonly<Record<string, string>> = {
  'cdi-deployment': 'controller',
  'cdi-apiserver': 'apiserver',
  'cdi-uploadproxy': 'uploadProxy',
  'cdi-dashboard': 'dashboard',
};

/** What a value may say of a pod that is scheduled; those that a manifest does not name are empty. */
const placement = ['nodeSelector', 'tolerations', 'affinity', 'topologySpreadConstraints'] as const;

interface Container {
  name: string;
  image: string;
  env?: { name: string; value?: string; valueFrom?: unknown }[];
  resources?: unknown;
  [field: string]: unknown;
}

interface PodSpec extends Partial<Record<(typeof placement)[number], unknown>> {
  priorityClassName?: string;
  containers: Container[];
  [field: string]: unknown;
}

interface DeploymentSpec {
  replicas?: number;
  template: { metadata?: { labels?: Record<string, string> }; spec: PodSpec };
  [field: string]: unknown;
}

/** What the values say of a component, as its manifest has it. */
export interface ComponentValues {
  readonly replicas: number;
  readonly resources: unknown;
  readonly placement: Readonly<Record<(typeof placement)[number], unknown>>;
}

/** @throws Error for a Deployment without a name among the values */
export function componentOf({ metadata }: Manifest): string {
  const component = components[metadata.name];
  if (!component) throw new Error(`Deployment ${metadata.name}: name its values in deploy/helm/deployments.ts`);
  return component;
}

export function valuesOf(deployment: Manifest): ComponentValues {
  const spec = deployment.spec as DeploymentSpec;
  const pod = spec.template.spec;
  return {
    replicas: spec.replicas ?? 1,
    resources: pod.containers[0]?.resources ?? {},
    placement: {
      nodeSelector: pod.nodeSelector ?? {},
      tolerations: pod.tolerations ?? [],
      affinity: pod.affinity ?? {},
      topologySpreadConstraints: pod.topologySpreadConstraints ?? [],
    },
  };
}

/** Has the values decide what they name of a Deployment. */
export function deploymentTemplate(deployment: Manifest, template: TemplateText): Manifest {
  const values = `.Values.${componentOf(deployment)}`;
  const spec = deployment.spec as DeploymentSpec;
  const { containers, ...pod } = spec.template.spec;
  const placed = Object.fromEntries(placement.map((field) => [field, template.field(`${values}.${field}`)]));
  return {
    ...deployment,
    spec: {
      ...spec,
      replicas: template.expression(`${values}.replicas`),
      template: {
        ...spec.template,
        spec: {
          ...pod,
          ...placed,
          ...(pod.priorityClassName ? { priorityClassName: template.textField('.Values.priorityClassName') } : {}),
          imagePullSecrets: template.field('.Values.imagePullSecrets'),
          containers: containers.map((container) => containerTemplate(container, values, template)),
        },
      },
    },
  };
}

function containerTemplate(container: Container, values: string, template: TemplateText): Container {
  const image = template.expression('include "diskpress.image" . | quote');
  const env = (container.env ?? []).map((variable) =>
    variable.value === IMAGE ? { ...variable, value: image } : variable,
  );
  return {
    ...container,
    image: container.image === IMAGE ? image : container.image,
    imagePullPolicy: template.expression('.Values.image.pullPolicy'),
    env: [...env, template.items('diskpress.logging')] as Container['env'],
    resources: template.field(`${values}.resources`),
  };
}
