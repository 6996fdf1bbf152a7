import * as z from 'zod';
import { populationAnnotation as names } from '../annotations.ts';
import { constrained } from '../constraint.ts';
import { objectName } from '../references.ts';
import { LOGIN, numbered, numberedAnnotations, urlOf, webAnnotations, webObjects } from './common/annotations.ts';
import type { ImportedSource } from './common/declaration.ts';
import { certConfigMap, insecureSkipVerify, secretRef, url } from './common/fields.ts';

const CHECKSUM_PATTERN = '^(md5:[0-9a-fA-F]{32}|sha1:[0-9a-fA-F]{40}|sha256:[0-9a-fA-F]{64}|sha512:[0-9a-fA-F]{128})$';

const checksum = () =>
  constrained(z.string().max(256), [
    {
      rule: `self.matches('${CHECKSUM_PATTERN}')`,
      message:
        'checksum must be md5:, sha1:, sha256: or sha512: and the digest in hexadecimal (32, 40, 64 or 128 digits)',
      check: (value) => new RegExp(CHECKSUM_PATTERN).test(value),
    },
  ]);

const schema = () =>
  z
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
      checksum: checksum()
        .optional()
        .describe(
          'Digest of the file as it is served: md5, sha1, sha256 or sha512, a colon, and the digest in hexadecimal.',
        ),
      insecureSkipVerify,
    })
    .describe('A disk image or archive from a web server.');

const request = z.strictObject({
  type: z.literal('http'),
  url: z.string(),
  /** Complete header lines, `Name: value`. */
  extraHeaders: z.array(z.string()),
  /** Checksum of the object as it is served, `md5|sha1|sha256|sha512:hex`. */
  checksum: z.string().optional(),
  insecureSkipVerify: z.boolean(),
});

/** A file on a web server. */
export const http: ImportedSource<'http', ReturnType<typeof schema>, typeof request> = {
  name: 'http',
  schema,
  population: 'import',
  claimValue: 'http',
  toAnnotations: (spec) => ({
    ...webAnnotations(spec),
    [names.importChecksum]: spec.checksum,
    ...numberedAnnotations(names.importExtraHeadersPrefix, spec.extraHeaders),
    ...numberedAnnotations(names.importSecretExtraHeadersPrefix, spec.secretExtraHeaders),
  }),
  importer: {
    requests: [request],
    toRequest: (annotations) => ({
      type: 'http',
      url: urlOf(annotations),
      extraHeaders: numbered(annotations, names.importExtraHeadersPrefix),
      ...(annotations[names.importChecksum] ? { checksum: annotations[names.importChecksum] } : {}),
      insecureSkipVerify: annotations[names.importInsecureSkipVerify] === 'true',
    }),
    neededObjects: (annotations) => ({
      ...webObjects(annotations, LOGIN),
      secretHeaders: numbered(annotations, names.importSecretExtraHeadersPrefix),
    }),
  },
};
