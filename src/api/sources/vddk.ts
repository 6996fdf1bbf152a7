import * as z from 'zod';
import { optionalObjectName } from '../references.ts';
import { webAnnotations } from './common/annotations.ts';
import type { ImportedSource } from './common/declaration.ts';
import { certConfigMap, secretRef, url } from './common/fields.ts';

const schema = () =>
  z
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

/** A disk of VMware vSphere. */
export const vddk: ImportedSource<'vddk', ReturnType<typeof schema>, never> = {
  name: 'vddk',
  schema,
  population: 'import',
  claimValue: 'vddk',
  hasCheckpoints: true,
  toAnnotations: ({ url: endpoint, secretRef: secretName }) => webAnnotations({ url: endpoint, secretRef: secretName }),
};
