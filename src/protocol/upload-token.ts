import * as z from 'zod';

/** The claims of an upload token (RFC 7519), besides the registered ones: one claim, by name and by uid. */
export const uploadTokenClaims = z.object({
  operation: z.literal('Upload'),
  name: z.string(),
  namespace: z.string(),
  /** UID of the claim, so that the token is not valid for another one that gets the same name. */
  uid: z.string(),
  resource: z.object({ group: z.literal(''), version: z.literal('v1'), resource: z.literal('persistentvolumeclaims') }),
});
export type UploadTokenClaims = z.infer<typeof uploadTokenClaims>;
