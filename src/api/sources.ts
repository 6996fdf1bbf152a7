import * as z from 'zod';
import { namespaceReference, objectName, optionalObjectName } from './references.ts';
import { constrained, exactlyOneOf } from './constraint.ts';

const MAXIMUM_URL_LENGTH = 8192;
const NO_HOST_PATTERN = '^[a-z]+://([/?# ]|$)';

/** A URL that starts with one of these; where they end in `://`, a host must follow. */
function url(prefixes: readonly string[]) {
  return constrained(z.string().max(MAXIMUM_URL_LENGTH), [
    {
      rule: prefixes.map((prefix) => `self.startsWith('${prefix}')`).join(' || '),
      message: `url must start with ${prefixes.join(' or ')}`,
      check: (value) => prefixes.some((prefix) => value.startsWith(prefix)),
    },
    {
      rule: `!self.matches('${NO_HOST_PATTERN}')`,
      message: 'url must name a host after ://',
      check: (value) => !new RegExp(NO_HOST_PATTERN).test(value),
    },
  ]);
}

const secretRef = optionalObjectName.describe(
  'Secret in the same namespace with the credentials: accessKeyId and secretKey.',
);
const certConfigMap = optionalObjectName.describe(
  'ConfigMap in the same namespace with PEM certificates of authorities to trust, under any keys.',
);
const insecureSkipVerify = z
  .boolean()
  .optional()
  .describe("Do not verify the server's certificate. The data may then come from anyone.");

const CHECKSUM_PATTERN = '^(md5:[0-9a-fA-F]{32}|sha1:[0-9a-fA-F]{40}|sha256:[0-9a-fA-F]{64}|sha512:[0-9a-fA-F]{128})$';

const checksum = constrained(z.string().max(256), [
  {
    rule: `self.matches('${CHECKSUM_PATTERN}')`,
    message:
      'checksum must be md5:, sha1:, sha256: or sha512: and the digest in hexadecimal (32, 40, 64 or 128 digits)',
    check: (value) => new RegExp(CHECKSUM_PATTERN).test(value),
  },
]);

export const httpSource = z
  .strictObject({
    url: url(['http://', 'https://']).describe('URL of the image, http:// or https://.'),
    secretRef,
    certConfigMap,
    extraHeaders: z
      .array(
        z
          .string()
          .max(8192)
          .regex(/^[^\r\n]*$/),
      )
      .max(64)
      .optional()
      .describe('Header lines to send, each as "Name: value".'),
    secretExtraHeaders: z
      .array(objectName)
      .max(64)
      .optional()
      .describe('Secrets in the same namespace whose values are header lines to send, each as "Name: value".'),
    checksum: checksum
      .optional()
      .describe(
        'Digest of the file as it is served: md5, sha1, sha256 or sha512, a colon, and the digest in hexadecimal.',
      ),
    insecureSkipVerify,
  })
  .describe('A disk image or archive from a web server.');

export const s3Source = z
  .strictObject({
    url: url(['http://', 'https://']).describe('URL of the object, https://endpoint/bucket/object.'),
    secretRef,
    certConfigMap,
  })
  .describe('A disk image or archive from an S3 bucket.');

export const gcsSource = z
  .strictObject({
    url: url(['gs://', 'http://', 'https://']).describe('URL of the object, gs://bucket/object or https://….'),
    secretRef: optionalObjectName.describe(
      'Secret in the same namespace with the credentials: credentials.json of a service account.',
    ),
  })
  .describe('A disk image or archive from Google Cloud Storage.');

export const pullMethods = ['pod', 'node'] as const;

const registryFields = z.strictObject({
  url: url(['docker://', 'oci-archive:'])
    .optional()
    .describe('Image, docker://host[:port]/repository[:tag|@digest] or oci-archive:path.'),
  imageStream: objectName
    .optional()
    .describe('ImageStream in the same namespace that names the image; needs pullMethod node.'),
  pullMethod: z
    .enum(pullMethods)
    .optional()
    .describe("pod (the default): the importer pulls the image. node: the node's container runtime does."),
  secretRef,
  certConfigMap,
  platform: z
    .strictObject({
      architecture: z.string().max(64).optional().describe('Architecture such as amd64 or arm64.'),
    })
    .optional()
    .describe('Which image of a multi-platform index to take; that of the importing node where it is missing.'),
});

export const registrySource = constrained(registryFields, [
  exactlyOneOf('registry', ['url', 'imageStream']),
  {
    rule: "!has(self.imageStream) || (has(self.pullMethod) && self.pullMethod == 'node')",
    message: 'registry.imageStream needs pullMethod node',
    check: ({ imageStream, pullMethod }) => imageStream === undefined || pullMethod === 'node',
  },
]).describe('A container image with a disk image in its /disk folder.');

/** A claim or a snapshot by namespace and name. */
const objectInNamespace = (what: string) =>
  z.strictObject({
    namespace: namespaceReference.describe(
      `Namespace of the ${what}, the own one where it is empty; the user needs the right to clone from it.`,
    ),
    name: objectName.describe(`Name of the ${what}.`),
  });

export const pvcSource = objectInNamespace('PersistentVolumeClaim').describe('A claim to clone.');
export const snapshotSource = objectInNamespace('VolumeSnapshot').describe('A snapshot to clone from.');
export const uploadSource = z.strictObject({}).describe('Wait for a client to upload the data. Written as {}.');
export const blankSource = z.strictObject({}).describe('An empty disk. Written as {}.');

export const imageioSource = z
  .strictObject({
    url: url(['http://', 'https://']).describe('URL of the oVirt engine, https://…/ovirt-engine/api.'),
    diskId: z.string().min(1).max(253).describe('Identifier of the disk.'),
    secretRef,
    certConfigMap,
    insecureSkipVerify,
  })
  .describe('A disk of oVirt.');

export const vddkSource = z
  .strictObject({
    url: url(['http://', 'https://']).optional().describe('URL of the vCenter or ESXi host.'),
    uuid: z.string().max(253).optional().describe('UUID of the virtual machine.'),
    backingFile: z.string().max(4096).optional().describe('Path of the disk, [datastore] folder/disk.vmdk.'),
    thumbprint: z.string().max(253).optional().describe("SHA-1 thumbprint of the host's certificate."),
    secretRef,
    certConfigMap,
    initImageURL: z.string().max(4096).optional().describe('Container image with the VDDK library.'),
    extraArgs: optionalObjectName.describe('ConfigMap in the same namespace with options of the VDDK library.'),
  })
  .describe('A disk of VMware vSphere.');

/** `blank:` without a value is null, which is dropped before the rules are looked at. */
const WRITTEN_EMPTY = ' (an empty field is written as {}, such as blank: {})';

export const dataVolumeSourceFields = [
  'http',
  's3',
  'gcs',
  'registry',
  'pvc',
  'snapshot',
  'upload',
  'blank',
  'imageio',
  'vddk',
] as const;
export type DataVolumeSourceType = (typeof dataVolumeSourceFields)[number];

/** Where a DataVolume's data comes from: exactly one of its fields is set. */
export const dataVolumeSource = constrained(
  z.strictObject({
    http: httpSource.optional(),
    s3: s3Source.optional(),
    gcs: gcsSource.optional(),
    registry: registrySource.optional(),
    pvc: pvcSource.optional(),
    snapshot: snapshotSource.optional(),
    upload: uploadSource.optional(),
    blank: blankSource.optional(),
    imageio: imageioSource.optional(),
    vddk: vddkSource.optional(),
  }),
  [exactlyOneOf('source', dataVolumeSourceFields, WRITTEN_EMPTY)],
);
export type DataVolumeSource = z.infer<typeof dataVolumeSource>;

export const importSourceFields = ['http', 's3', 'gcs', 'registry', 'blank', 'imageio', 'vddk'] as const;
export type ImportSourceType = (typeof importSourceFields)[number];

/** Where an import's data comes from: exactly one of its fields is set. */
export const importSource = constrained(
  z.strictObject({
    http: httpSource.optional(),
    s3: s3Source.optional(),
    gcs: gcsSource.optional(),
    registry: registrySource.optional(),
    blank: blankSource.optional(),
    imageio: imageioSource.optional(),
    vddk: vddkSource.optional(),
  }),
  [exactlyOneOf('source', importSourceFields, WRITTEN_EMPTY)],
);
export type ImportSource = z.infer<typeof importSource>;

/** Value of the annotation storage.import.source on a claim; none is a blank disk. */
export const claimImportSources = ['http', 's3', 'gcs', 'registry', 'imageio', 'vddk', 'none'] as const;
export type ClaimImportSource = (typeof claimImportSources)[number];

export type HttpSource = z.infer<typeof httpSource>;
export type S3Source = z.infer<typeof s3Source>;
export type GcsSource = z.infer<typeof gcsSource>;
export type RegistrySource = z.infer<typeof registrySource>;
export type PvcSource = z.infer<typeof pvcSource>;
export type SnapshotSource = z.infer<typeof snapshotSource>;
export type ImageioSource = z.infer<typeof imageioSource>;
export type VddkSource = z.infer<typeof vddkSource>;
