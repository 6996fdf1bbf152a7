import type { V1Affinity } from '@kubernetes/client-node';
import * as z from 'zod';
import { cdiConfigSpec } from './cdi-config.ts';
import { conditionsOf } from './conditions.ts';
import { constrained } from './constraint.ts';
import { duration, parseDuration } from './duration.ts';
import { CDI_API_VERSION } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { ageColumn, defineResource } from './resource-definition.ts';
import { cloneStrategy } from './storage-profile.ts';

export const cdiPhases = ['Deploying', 'Deployed', 'Upgrading', 'Deleting', 'Deleted', 'Error', 'Unknown', ''] as const;
export type CDIPhase = (typeof cdiPhases)[number];

export const cdiConditionTypes = ['Available', 'Progressing', 'Degraded', 'UninstallBlocked'] as const;
export type CDIConditionType = (typeof cdiConditionTypes)[number];

/** Affinity of core/v1, which is not described here: the API server validates it in the pods that get it. */
const affinity = z.custom<V1Affinity>((value) => typeof value === 'object' && value !== null);

const nodePlacementFields = {
  nodeSelector: z.record(z.string(), z.string()).optional().describe('Labels of the nodes to run on.'),
  affinity: affinity
    .meta({ 'x-kubernetes-preserve-unknown-fields': true })
    .optional()
    .describe('Node and pod affinity, as in a pod.'),
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().optional().describe('Taint that is tolerated.'),
        operator: z.string().optional().describe('Exists or Equal.'),
        value: z.string().optional().describe("The taint's value."),
        effect: z.string().optional().describe('NoSchedule, PreferNoSchedule or NoExecute.'),
        tolerationSeconds: z.int().optional().describe('How long NoExecute is tolerated.'),
      }),
    )
    .optional()
    .describe('Taints of nodes that are tolerated, as in a pod.'),
};

/** Constraints on the nodes of pods. */
export const nodePlacement = z.strictObject(nodePlacementFields);
export type NodePlacement = z.infer<typeof nodePlacement>;

const replicas = z.int32().min(0).optional();

const certificate = constrained(
  z.strictObject({
    duration: duration.optional().describe('How long a certificate is valid, such as 48h; 1m at least.'),
    renewBefore: duration
      .optional()
      .describe('How long before its end it is replaced, such as 24h; half of its duration where it is missing.'),
  }),
  [
    {
      rule: "!has(self.duration) || duration(self.duration) >= duration('1m')",
      message: 'duration must be 1m at least',
      check: (value) => value.duration === undefined || (parseDuration(value.duration) ?? 0) >= 60_000,
    },
    {
      rule: '!has(self.duration) || !has(self.renewBefore) || duration(self.renewBefore) < duration(self.duration)',
      message: 'renewBefore must be shorter than duration',
      check: (value) =>
        value.duration === undefined ||
        value.renewBefore === undefined ||
        (parseDuration(value.renewBefore) ?? 0) < (parseDuration(value.duration) ?? 0),
    },
  ],
);

export const certConfig = z.strictObject({
  ca: certificate.optional().describe('Authorities.'),
  server: certificate.optional().describe('Certificates of servers.'),
  client: certificate.optional().describe('Certificates of clients.'),
});

export const customizeComponents = z.strictObject({
  patches: z
    .array(
      z.strictObject({
        resourceName: z.string().min(1).describe('Name of the object.'),
        resourceType: z.string().min(1).describe('Kind of the object.'),
        patch: z.string().describe('The patch.'),
        type: z.string().describe('json, merge or strategic.'),
      }),
    )
    .optional()
    .describe('Patches of the objects that make up the service.'),
  flags: z
    .strictObject({
      api: z.record(z.string(), z.string()).optional().describe('Flags of the API server.'),
      controller: z.record(z.string(), z.string()).optional().describe('Flags of the controllers.'),
      uploadProxy: z.record(z.string(), z.string()).optional().describe('Flags of the upload proxy.'),
    })
    .optional()
    .describe('Flags of the parts of the service.'),
});

export const cdiSpec = z.strictObject({
  imagePullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .optional()
    .describe('When the images of the service are pulled.'),
  uninstallStrategy: z
    .enum(['RemoveWorkloads', 'BlockUninstallIfWorkloadsExist'])
    .optional()
    .describe('Whether deleting this object is refused while there are DataVolumes.'),
  infra: z
    .strictObject({
      ...nodePlacementFields,
      deploymentReplicas: replicas.describe('Replicas of the controllers.'),
      apiServerReplicas: replicas.describe('Replicas of the API server.'),
      uploadProxyReplicas: replicas.describe('Replicas of the upload proxy.'),
    })
    .optional()
    .describe('Where the service itself runs, and with how many replicas.'),
  workload: nodePlacement.optional().describe('Where transfer pods run.'),
  cloneStrategyOverride: cloneStrategy
    .optional()
    .describe('How to clone, whatever the StorageProfile says: copy, snapshot or csi-clone.'),
  config: cdiConfigSpec.optional().describe('Settings, copied to the CDIConfig named config.'),
  certConfig: certConfig.optional().describe('Lifetimes of certificates.'),
  priorityClass: z.string().optional().describe('PriorityClass of the pods of the service.'),
  customizeComponents: customizeComponents.optional().describe('Changes to the parts of the service.'),
});
export type CDISpec = z.infer<typeof cdiSpec>;

export const cdiStatus = z.strictObject({
  phase: z.enum(cdiPhases).optional().describe('What is happening now; Deployed when all is in place.'),
  conditions: conditionsOf(cdiConditionTypes)
    .optional()
    .describe(
      'Available: the service works. Progressing: it is being changed. Degraded: a part of it does not work. ' +
        'UninstallBlocked: why this object may not be deleted.',
    ),
  operatorVersion: z.string().optional().describe('Version that looks after the service.'),
  targetVersion: z.string().optional().describe('Version that is wanted.'),
  observedVersion: z.string().optional().describe('Version that runs.'),
});
export type CDIStatus = z.infer<typeof cdiStatus>;

/** The installation of the product. */
export const cdi = z
  .strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('CDI'),
    metadata: objectMeta,
    spec: cdiSpec.describe('How the service is set up.'),
    status: cdiStatus.optional().describe('How the service is.'),
  })
  .describe('The installation of the service in the cluster, and its settings.');
export type CDI = z.infer<typeof cdi>;

export const cdis = defineResource({
  kind: 'CDI',
  plural: 'cdis',
  namespaced: false,
  shortNames: ['cdi', 'cdis'],
  printerColumns: [ageColumn, { name: 'Phase', type: 'string', jsonPath: '.status.phase' }],
  statusSubresource: true,
  schema: cdi,
});
