import * as z from 'zod';
import { CDI_API_VERSION } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { quantity } from './quantity.ts';
import { localObjectReference } from './references.ts';
import { ageColumn, defineResource } from './resource-definition.ts';
import { preallocation } from './transfer-options.ts';

/** Name of the only CDIConfig that is read. */
export const CDI_CONFIG_NAME = 'config';

/** Feature gates that have an effect. */
export const featureGates = [
  'HonorWaitForFirstConsumer',
  'DataVolumeClaimAdoption',
  'WebhookPvcRendering',
  'ImportFollowsInternalRedirects',
  'FileSource',
] as const;
export type FeatureGate = (typeof featureGates)[number];

const overhead = z
  .string()
  .max(5)
  .regex(/^(0(?:\.\d{1,3})?|1)$/);

export const filesystemOverhead = z.strictObject({
  global: overhead.optional().describe('Share for classes that are not listed, such as "0.06".'),
  storageClass: z
    .record(z.string(), overhead)
    .meta({ maxProperties: 1024 })
    .optional()
    .describe('Share by name of StorageClass.'),
});
export type FilesystemOverhead = z.infer<typeof filesystemOverhead>;

export const importProxy = z
  .strictObject({
    HTTPProxy: z.string().optional().describe('Proxy for http URLs, http://[user:password@]host:port.'),
    HTTPSProxy: z.string().optional().describe('Proxy for https URLs.'),
    noProxy: z
      .string()
      .optional()
      .describe('Hosts, domains and networks to reach without a proxy, separated by commas.'),
    trustedCAProxy: z
      .string()
      .optional()
      .describe("ConfigMap in the service's namespace with certificates of the proxy's authority."),
  })
  .describe('Proxy of imports.');
export type ImportProxy = z.infer<typeof importProxy>;

const resourceList = z.record(z.string(), quantity).meta({ maxProperties: 64 });
export const resourceRequirements = z.strictObject({
  limits: resourceList.optional().describe('The most that a pod may use.'),
  requests: resourceList.optional().describe('What is set aside for a pod.'),
  claims: z
    .array(
      z.strictObject({
        name: z.string().describe('Entry in the resource claims of the pod.'),
        request: z.string().optional().describe('Request in the claim; all of them where it is missing.'),
      }),
    )
    .optional()
    .describe('Resource claims of the pod.'),
});
export type ResourceRequirements = z.infer<typeof resourceRequirements>;

const predefinedProfile = z.strictObject({}).nullable().optional();

/** OpenShift's TLS security profile. */
export const tlsSecurityProfile = z.strictObject({
  type: z.enum(['', 'Old', 'Intermediate', 'Modern', 'Custom']).optional().describe('Which of the profiles.'),
  old: predefinedProfile.describe('For old clients; TLS 1.0 and later.'),
  intermediate: predefinedProfile.describe('For clients of the last years; TLS 1.2 and later.'),
  modern: predefinedProfile.describe('TLS 1.3 only.'),
  custom: z
    .strictObject({
      ciphers: z.array(z.string()).nullable().optional().describe('Ciphers by the names of OpenSSL.'),
      minTLSVersion: z
        .enum(['VersionTLS10', 'VersionTLS11', 'VersionTLS12', 'VersionTLS13'])
        .optional()
        .describe('The oldest version of TLS to accept.'),
    })
    .nullable()
    .optional()
    .describe('Ciphers and version chosen by hand.'),
});
export type TlsSecurityProfile = z.infer<typeof tlsSecurityProfile>;

const imagePullSecrets = z.array(localObjectReference).describe('Secrets to pull the images of transfer pods with.');

export const cdiConfigSpec = z.strictObject({
  uploadProxyURLOverride: z.string().optional().describe('URL of the upload proxy as clients reach it.'),
  importProxy: importProxy.optional(),
  scratchSpaceStorageClass: z
    .string()
    .optional()
    .describe('StorageClass of scratch space; that of the target where it is missing.'),
  podResourceRequirements: resourceRequirements.optional().describe('Resources of transfer pods.'),
  featureGates: z
    .array(z.string())
    .optional()
    .describe(`Features to turn on: ${featureGates.join(', ')}.`),
  webhookPvcRendering: z
    .enum(['Enabled', 'Disabled'])
    .optional()
    .describe(
      'Whether claims with the label cdi.kubevirt.io/applyStorageProfile are completed from the StorageProfile.',
    ),
  filesystemOverhead: filesystemOverhead
    .optional()
    .describe('Share of a Filesystem volume that the filesystem itself needs, from 0 to 1.'),
  preallocation: preallocation
    .optional()
    .describe("Allocate all of a disk's space at once, unless a DataVolume says otherwise."),
  insecureRegistries: z
    .array(z.string())
    .optional()
    .describe('Registries, host[:port], that may be reached by plain http or with a certificate that is not trusted.'),
  dataVolumeTTLSeconds: z.int32().optional().describe('Without effect.'),
  tlsSecurityProfile: tlsSecurityProfile.optional().describe('TLS versions and ciphers of the servers.'),
  imagePullSecrets: imagePullSecrets.optional(),
  logVerbosity: z.int32().optional().describe('How much is logged: 1 (the default) to 5.'),
});
export type CDIConfigSpec = z.infer<typeof cdiConfigSpec>;

export const cdiConfigStatus = z.strictObject({
  uploadProxyURL: z.string().optional().describe('URL of the upload proxy as clients reach it.'),
  uploadProxyCA: z.string().optional().describe("Certificate of the upload proxy's authority, PEM."),
  importProxy: importProxy.optional(),
  scratchSpaceStorageClass: z.string().optional().describe('StorageClass of scratch space.'),
  defaultPodResourceRequirements: resourceRequirements.optional().describe('Resources of transfer pods.'),
  filesystemOverhead: filesystemOverhead.optional().describe('Share in effect for every StorageClass.'),
  preallocation: preallocation.optional(),
  imagePullSecrets: imagePullSecrets.optional(),
});
export type CDIConfigStatus = z.infer<typeof cdiConfigStatus>;

/** Settings in effect for the whole cluster; only the CDIConfig named `config` is read. */
export const cdiConfig = z
  .strictObject({
    apiVersion: z.literal(CDI_API_VERSION),
    kind: z.literal('CDIConfig'),
    metadata: objectMeta,
    spec: cdiConfigSpec.describe('Settings; written from spec.config of the CDI object, so change them there.'),
    status: cdiConfigStatus.optional().describe('What is in effect.'),
  })
  .describe('Settings of the service. Only the one named config is looked at.');
export type CDIConfig = z.infer<typeof cdiConfig>;

export const cdiConfigs = defineResource({
  kind: 'CDIConfig',
  plural: 'cdiconfigs',
  namespaced: false,
  printerColumns: [ageColumn],
  statusSubresource: true,
  schema: cdiConfig,
});
