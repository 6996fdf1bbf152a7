import * as z from 'zod';
import { constrained } from '../../constraint.ts';
import { objectName, optionalObjectName } from '../../references.ts';

const MAXIMUM_URL_LENGTH = 8192;
const NO_HOST_PATTERN = '^[a-z]+://([/?# ]|$)';

/** Reports what the function of that name of the API server's CEL does, which is Go's net/url. */
function isUrl(value: string): boolean {
  return URL.canParse(value) && !/%(?![0-9a-fA-F]{2})|\p{Cc}/u.test(value);
}

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
    {
      rule: 'isURL(self)',
      message: 'url must be a valid URL',
      check: isUrl,
    },
  ]);
}

const SECRET = 'Secret in the same namespace with the credentials: accessKeyId and secretKey.';
export const secretRef = optionalObjectName.describe(SECRET);
/** For sources that nobody can read without a login. */
export const requiredSecretRef = objectName.describe(SECRET);
export const certConfigMap = optionalObjectName.describe(
  'ConfigMap in the same namespace with PEM certificates of authorities to trust, under any keys.',
);
export const insecureSkipVerify = z
  .boolean()
  .optional()
  .describe("Do not verify the server's certificate. The data may then come from anyone.");
