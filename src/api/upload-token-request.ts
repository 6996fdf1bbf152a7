import * as z from 'zod';
import { UPLOAD_API_VERSION } from './group.ts';
import { objectMeta } from './object-meta.ts';
import { pathSegment } from './references.ts';

/** Lifetime in seconds of a token of an UploadTokenRequest. */
export const UPLOAD_TOKEN_LIFETIME_SECONDS = 300;

/**
 * Requests a token to upload into a claim. It belongs to an aggregated API that allows only `create`, and is never
 * stored.
 */
export const uploadTokenRequest = z.strictObject({
  apiVersion: z.literal(UPLOAD_API_VERSION),
  kind: z.literal('UploadTokenRequest'),
  metadata: objectMeta,
  spec: z.strictObject({ pvcName: pathSegment.describe('Claim to upload into.') }),
  status: z.strictObject({ token: z.string().optional().describe('Bearer token for the upload proxy.') }).optional(),
});
export type UploadTokenRequest = z.infer<typeof uploadTokenRequest>;
