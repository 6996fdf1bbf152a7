import * as z from 'zod';
import { populationAnnotation as names } from '../annotations.ts';
import { LOGIN, urlOf, webAnnotations, webObjects } from './common/annotations.ts';
import type { ImportedSource } from './common/declaration.ts';
import { certConfigMap, insecureSkipVerify, requiredSecretRef, url } from './common/fields.ts';

const schema = () =>
  z
    .strictObject({
      url: url(['http://', 'https://']).describe('URL of the oVirt engine, https://…/ovirt-engine/api.'),
      diskId: z.string().min(1).max(253).describe('Identifier of the disk.'),
      secretRef: requiredSecretRef,
      certConfigMap,
      insecureSkipVerify,
    })
    .describe('A disk of oVirt.');

const request = z.strictObject({
  type: z.literal('imageio'),
  /** URL of the engine's API. */
  url: z.string(),
  diskId: z.string(),
  insecureSkipVerify: z.boolean(),
});

/** A disk of oVirt. */
export const imageio: ImportedSource<'imageio', ReturnType<typeof schema>, typeof request> = {
  name: 'imageio',
  schema,
  population: 'import',
  noArchive: 'is a disk',
  claimValue: 'imageio',
  hasCheckpoints: true,
  toAnnotations: (spec) => ({ ...webAnnotations(spec), [names.importDiskId]: spec.diskId }),
  importer: {
    requests: [request],
    toRequest: (annotations) => {
      const diskId = annotations[names.importDiskId];
      if (!diskId) return { refusal: `A disk of oVirt needs its identifier in the annotation ${names.importDiskId}` };
      return {
        type: 'imageio',
        url: urlOf(annotations),
        diskId,
        insecureSkipVerify: annotations[names.importInsecureSkipVerify] === 'true',
      };
    },
    neededObjects: (annotations) => webObjects(annotations, LOGIN),
  },
};
