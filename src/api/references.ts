import * as z from 'zod';

/** Name of an object: a DNS subdomain, which the API server validates when the object itself is created. */
export const objectName = z.string().min(1).max(253);
/** Name that an object of any kind can have: what a segment of a path can be (IsValidPathSegmentName of Kubernetes). */
export const pathSegment = objectName.regex(/^(?!\.{1,2}$)[^/%]*$/, 'no object can have this name');
/** Name of an object that is optional; an empty name means none, because published manifests write it so. */
export const optionalObjectName = z.string().max(253).optional();
/** Name of a namespace: a DNS label. */
export const namespaceName = z.string().min(1).max(63);
/** Namespace of a referenced object; empty means the referrer's own, because Go clients write an unset field so. */
export const namespaceReference = z.string().max(63);

export const localObjectReference = z.strictObject({
  name: z.string().max(253).optional().describe('Name of the object.'),
});

const apiGroup = z.string().max(253).optional().describe('API group of the object; empty for the core group.');
const kind = z.string().max(63).describe('Kind of the object.');

export const typedLocalObjectReference = z.strictObject({
  apiGroup,
  kind,
  name: objectName.describe('Name of the object.'),
});
export type TypedLocalObjectReference = z.infer<typeof typedLocalObjectReference>;

export const typedObjectReference = typedLocalObjectReference.extend({
  namespace: z
    .string()
    .max(63)
    .optional()
    .describe('Namespace of the object; needs a ReferenceGrant there where it is not the own one.'),
});
