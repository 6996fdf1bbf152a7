import * as z from 'zod';
import { constrained } from '../../constraint.ts';
import { optionalObjectName } from '../../references.ts';

const MAXIMUM_URL_LENGTH = 8192;
const NO_HOST_PATTERN = '^[a-z]+://([/?# ]|$)';

/** Returns the schema of a URL with one of these prefixes; after a prefix that ends in `://`, a host must follow. */
export function url(prefixes: readonly string[]) {
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

export const secretRef = optionalObjectName.describe(
  'Secret in the same namespace with the credentials: accessKeyId and secretKey.',
);
export const certConfigMap = optionalObjectName.describe(
  'ConfigMap in the same namespace with PEM certificates of authorities to trust, under any keys.',
);
export const insecureSkipVerify = z
  .boolean()
  .optional()
  .describe("Do not verify the server's certificate. The data may then come from anyone.");
