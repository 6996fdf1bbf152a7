/** Content types of the ways to say what is to change, by the names that `kubectl patch` has for them. */
export const patchContentTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;
export type PatchType = keyof typeof patchContentTypes;
