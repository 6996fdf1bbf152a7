import { ApiError } from './errors.ts';

/** An operation of a JSON patch (RFC 6902). Of several, all are done, or none where a test fails. */
export interface JsonPatchOperation {
  readonly op: 'test' | 'add';
  /** A JSON pointer; see {@link jsonPointer}. */
  readonly path: string;
  readonly value: unknown;
}

/** Returns the JSON pointer (RFC 6901) to a field. */
export function jsonPointer(...names: readonly string[]): string {
  return names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * Returns the conflict that the failure of a test is: the API server answers such a patch with status 422, as one that
 * makes no sense. The result is undefined for other errors.
 */
export function asTestFailure(error: unknown): ApiError | undefined {
  // One that the API server understands, but finds invalid, has details of the object.
  if (!(error instanceof ApiError) || error.status !== 422 || error.details?.causes?.length) return undefined;
  return new ApiError({ code: 409, reason: 'Conflict', message: error.message });
}
