import * as z from 'zod';
import { LOGIN, urlOf, webAnnotations, webObjects } from './common/annotations.ts';
import type { ImportedSource } from './common/declaration.ts';
import { certConfigMap, secretRef, url } from './common/fields.ts';

const schema = () =>
  z
    .strictObject({
      url: url(['http://', 'https://']).describe('URL of the object, https://endpoint/bucket/object.'),
      secretRef,
      certConfigMap,
    })
    .describe('A disk image or archive from an S3 bucket.');

const request = z.strictObject({
  type: z.literal('s3'),
  /** URL of the object: https://endpoint/bucket/object, or with the bucket in the host name. */
  url: z.string(),
});

/** An object of S3, or of a server with the same protocol. */
export const s3: ImportedSource<'s3', ReturnType<typeof schema>, typeof request> = {
  name: 's3',
  schema,
  population: 'import',
  claimValue: 's3',
  toAnnotations: webAnnotations,
  importer: {
    requests: [request],
    toRequest: (annotations) => ({ type: 's3', url: urlOf(annotations) }),
    neededObjects: (annotations) => webObjects(annotations, LOGIN),
  },
};
