import { logFormats, logLevels } from '../../src/base/logger.ts';
import { componentOf, type ComponentValues, valuesOf } from './deployments.ts';
import { cdiSpecSchema, type JsonSchema, kubernetesList, kubernetesObject } from './schemas.ts';
import type { ManifestFile } from './sources.ts';

/** A value of the chart. */
export interface Value {
  /** `image.tag` */
  readonly path: string;
  readonly default: unknown;
  /** Of the JSON Schema that Helm holds what is given against. */
  readonly schema: JsonSchema;
  /** For people, in Markdown. */
  readonly description: string;
}

const flag: JsonSchema = { type: 'boolean' };
const text: JsonSchema = { type: 'string' };

const general = (): Value[] => [
  {
    path: 'image.repository',
    default: '',
    schema: text,
    description: 'where the nodes pull the image, without tag and digest; it has to be said',
  },
  {
    path: 'image.tag',
    default: '',
    schema: text,
    description: "tag of the image; the chart's `appVersion` unless set",
  },
  {
    path: 'image.digest',
    default: '',
    schema: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
    description: 'digest of the image, `sha256:…`, which nobody can put another image under; the tag is not used then',
  },
  {
    path: 'image.pullPolicy',
    default: 'IfNotPresent',
    schema: { enum: ['Always', 'IfNotPresent', 'Never'] },
    description: 'when the nodes pull the image',
  },
  {
    path: 'imagePullSecrets',
    default: [],
    schema: kubernetesList('LocalObjectReference'),
    description:
      'Secrets in the namespace of the release that the image is pulled with, `[{name: …}]`; ' +
      'for the pods that move data there is `cdi.spec.config.imagePullSecrets`',
  },
  {
    path: 'priorityClassName',
    default: 'system-cluster-critical',
    schema: text,
    description: "priority class of the installation's pods; a ResourceQuota allows twenty of a class of the system's",
  },
  {
    path: 'logLevel',
    default: '',
    schema: { enum: ['', ...logLevels] },
    description: 'how much is logged: `error`, `warn`, `info`, `verbose` or `debug`; `info` unless set',
  },
  {
    path: 'logFormat',
    default: '',
    schema: { enum: ['', ...logFormats] },
    description: 'how it is written: `text` for people, or `json`; `text` unless set',
  },
  {
    path: 'cdi.spec',
    default: {},
    schema: cdiSpecSchema(),
    description:
      'settings: `spec` of the CDI object, set by a hook after every install and upgrade; left alone where it is empty',
  },
  {
    path: 'crds.enabled',
    default: true,
    schema: flag,
    description: 'whether the chart installs and upgrades the CRDs; they stay when it is uninstalled',
  },
  {
    path: 'podDisruptionBudgets.enabled',
    default: true,
    schema: flag,
    description: 'whether a drain takes one replica at a time',
  },
  {
    path: 'imagePolls.enabled',
    default: true,
    schema: flag,
    description:
      'whether the controllers may read the Secrets and ConfigMaps that sources of DataImportCrons name; ' +
      'without it, only sources that name none are polled',
  },
  {
    path: 'dashboard.enabled',
    default: false,
    schema: flag,
    description: 'whether there is a page, for everybody with a token, that shows what happens',
  },
  {
    path: 'monitoring.enabled',
    default: false,
    schema: flag,
    description: 'whether there are monitors, rules and a dashboard for the Prometheus operator, which has to be there',
  },
  {
    path: 'networkPolicies.enabled',
    default: false,
    schema: flag,
    description: "whether NetworkPolicies limit the installation's pods to what they serve and whom they call",
  },
];

/** The components, as people call them. */
const componentNames: Readonly<Record<string, string>> = {
  controller: 'the controllers, of which one leads',
  apiserver: 'the API of uploads',
  uploadProxy: 'the upload proxy',
  dashboard: 'the dashboard',
};

function ofComponent(name: string, { replicas, resources, placement }: ComponentValues): Value[] {
  const who = componentNames[name] ?? name;
  return [
    {
      path: `${name}.replicas`,
      default: replicas,
      schema: { type: 'integer', minimum: 0 },
      description: `pods of ${who}`,
    },
    {
      path: `${name}.resources`,
      default: resources,
      schema: kubernetesObject('ResourceRequirements'),
      description: 'their requests and limits',
    },
    {
      path: `${name}.nodeSelector`,
      default: placement.nodeSelector,
      schema: { type: 'object', additionalProperties: text },
      description: 'labels that their nodes have',
    },
    {
      path: `${name}.tolerations`,
      default: placement.tolerations,
      schema: kubernetesList('Toleration'),
      description: 'taints of nodes that they tolerate',
    },
    {
      path: `${name}.affinity`,
      default: placement.affinity,
      schema: kubernetesObject('Affinity'),
      description: 'what they run near to, and apart from',
    },
    {
      path: `${name}.topologySpreadConstraints`,
      default: placement.topologySpreadConstraints,
      schema: kubernetesList('TopologySpreadConstraint'),
      description: 'how they are spread over zones, or whatever else',
    },
  ];
}

/** Returns every value, with those of the components that the manifests have. */
export function chartValues(files: readonly ManifestFile[]): Value[] {
  const deployments = files.flatMap(({ manifests }) => manifests).filter(({ kind }) => kind === 'Deployment');
  return [...general(), ...deployments.flatMap((each) => ofComponent(componentOf(each), valuesOf(each)))];
}
