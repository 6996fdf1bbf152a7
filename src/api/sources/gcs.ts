import * as z from 'zod';
import { optionalObjectName } from '../references.ts';
import { urlOf, webAnnotations, webObjects } from './common/annotations.ts';
import type { ImportedSource } from './common/declaration.ts';
import { url } from './common/fields.ts';

const schema = () =>
  z
    .strictObject({
      url: url(['gs://', 'http://', 'https://']).describe('URL of the object, gs://bucket/object or https://….'),
      secretRef: optionalObjectName.describe(
        'Secret in the same namespace with the credentials: credentials.json of a service account.',
      ),
    })
    .describe('A disk image or archive from Google Cloud Storage.');

const request = z.strictObject({
  type: z.literal('gcs'),
  /** URL of the object, or gs://bucket/object. */
  url: z.string(),
});

/** An object of Google Cloud Storage. */
export const gcs: ImportedSource<'gcs', ReturnType<typeof schema>, typeof request> = {
  name: 'gcs',
  schema,
  population: 'import',
  claimValue: 'gcs',
  toAnnotations: webAnnotations,
  importer: {
    requests: [request],
    toRequest: (annotations) => ({ type: 'gcs', url: urlOf(annotations) }),
    neededObjects: (annotations) => webObjects(annotations, ['credentials.json']),
  },
};
