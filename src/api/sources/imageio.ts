import * as z from 'zod';
import { populationAnnotation as names } from '../annotations.ts';
import { webAnnotations } from './common/annotations.ts';
import type { ImportedSource } from './common/declaration.ts';
import { certConfigMap, insecureSkipVerify, secretRef, url } from './common/fields.ts';

const schema = () =>
  z
    .strictObject({
      url: url(['http://', 'https://']).describe('URL of the oVirt engine, https://…/ovirt-engine/api.'),
      diskId: z.string().min(1).max(253).describe('Identifier of the disk.'),
      secretRef,
      certConfigMap,
      insecureSkipVerify,
    })
    .describe('A disk of oVirt.');

/** A disk of oVirt. */
export const imageio: ImportedSource<'imageio', ReturnType<typeof schema>, never> = {
  name: 'imageio',
  schema,
  population: 'import',
  claimValue: 'imageio',
  toAnnotations: (spec) => ({ ...webAnnotations(spec), [names.importDiskId]: spec.diskId }),
};
