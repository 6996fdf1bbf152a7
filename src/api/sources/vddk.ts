import * as z from 'zod';
import { populationAnnotation as names, userAnnotation } from '../annotations.ts';
import { optionalObjectName } from '../references.ts';
import { LOGIN, urlOf, webAnnotations, webObjects } from './common/annotations.ts';
import type { ImportedSource } from './common/declaration.ts';
import { certConfigMap, requiredSecretRef, url } from './common/fields.ts';

const schema = () =>
  z
    .strictObject({
      url: url(['http://', 'https://']).describe('URL of the vCenter or ESXi host.'),
      uuid: z.string().min(1).max(253).describe('UUID of the virtual machine.'),
      backingFile: z.string().min(1).max(4096).describe('Path of the disk, [datastore] folder/disk.vmdk.'),
      thumbprint: z.string().max(253).optional().describe("SHA-1 thumbprint of the host's certificate."),
      secretRef: requiredSecretRef,
      certConfigMap,
      initImageURL: z.string().max(4096).optional().describe('Container image with the VDDK library.'),
      extraArgs: optionalObjectName.describe('ConfigMap in the same namespace with options of the VDDK library.'),
    })
    .describe('A disk of VMware vSphere.');

const request = z.strictObject({
  type: z.literal('vddk'),
  /** URL of the vCenter or ESXi host, with or without /sdk. */
  url: z.string(),
  /** UUID of the virtual machine. */
  uuid: z.string(),
  /** `[datastore] folder/disk.vmdk` */
  backingFile: z.string(),
  /** SHA-1 of the host's certificate; without it, the authority that has made it must be trusted. */
  thumbprint: z.string().optional(),
});

/** A disk of VMware vSphere. */
export const vddk: ImportedSource<'vddk', ReturnType<typeof schema>, typeof request> = {
  name: 'vddk',
  schema,
  population: 'import',
  noArchive: 'is a disk',
  claimValue: 'vddk',
  hasCheckpoints: true,
  toAnnotations: (spec) => ({
    ...webAnnotations(spec),
    [names.importUuid]: spec.uuid,
    [names.importBackingFile]: spec.backingFile,
    [names.importVddkThumbprint]: spec.thumbprint,
    [userAnnotation.vddkInitImageUrl]: spec.initImageURL,
    [names.vddkExtraArgs]: spec.extraArgs,
  }),
  importer: {
    requests: [request],
    toRequest(annotations) {
      const { [names.importUuid]: uuid, [names.importBackingFile]: backingFile } = annotations;
      const thumbprint = annotations[names.importVddkThumbprint];
      const url = urlOf(annotations);
      const missing = Object.entries({ url, uuid, backingFile, secretRef: annotations[names.importSecretName] });
      const [lacking] = missing.find(([, value]) => !value) ?? [];
      if (lacking !== undefined || !uuid || !backingFile) {
        return { refusal: `Importing a disk of VMware needs vddk.${lacking}; set it, and create the DataVolume again` };
      }
      return { type: 'vddk', url, uuid, backingFile, ...(thumbprint ? { thumbprint } : {}) };
    },
    neededObjects: (annotations) => ({
      ...webObjects(annotations, LOGIN),
      libraryOptions: annotations[names.vddkExtraArgs],
    }),
    selectsNodes: true,
    libraryImage: {
      annotation: userAnnotation.vddkInitImageUrl,
      configMap: 'v2v-vmware',
      key: 'vddk-init-image',
      container: 'vddk-side-car',
      directory: '/opt',
      awaitedReason: 'AwaitingVDDK',
    },
  },
};
