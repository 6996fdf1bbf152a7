import type { V1Status, V1StatusDetails } from '@kubernetes/client-node';

/** The API server refused a request. `message` is the server's own, which names the object. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code = 'ERR_KUBE_API';
  /** The HTTP status; for an error inside a watch stream, the code in its Status object. */
  readonly status: number;
  /** The machine-readable reason of the Status object, such as `AlreadyExists`; empty if there was none. */
  readonly reason: string;
  readonly details: V1StatusDetails | undefined;
  /** How long the server asked to wait before another try. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: Partial<V1Status> & { code: number }, retryAfterSeconds?: number) {
    super(status.message || `the API server answered with HTTP status ${status.code}`);
    this.status = status.code;
    this.reason = status.reason ?? '';
    this.details = status.details;
    this.retryAfterSeconds = retryAfterSeconds ?? status.details?.retryAfterSeconds;
  }
}

/** The API server could not be reached, or the connection broke before its answer was complete. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code = 'ERR_KUBE_CONNECTION';

  constructor(request: string, cause: unknown) {
    super(`${request}: ${reasonOf(cause)}`, { cause });
  }
}

/** Thrown by a reconciler: a person must act. The object is not looked at again until it, or one watched with it, changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly code = 'ERR_KUBE_TERMINAL';
  /** CamelCase, for conditions and events. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Thrown by a reconciler: nothing is wrong, but a named thing is not there yet. Looked at again after a while. */
export class WaitingError extends Error {
  override readonly name = 'WaitingError';
  readonly code = 'ERR_KUBE_WAITING';
  /** CamelCase, for conditions and events. */
  readonly reason: string;
  /** Milliseconds until the next look, should no watch come first. */
  readonly after: number | undefined;

  constructor(reason: string, message: string, options?: ErrorOptions & { after?: number }) {
    super(message, options);
    this.reason = reason;
    this.after = options?.after;
  }
}

/** Another holder has the lease, or it could not be renewed in time: this process must stop acting. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
  readonly code = 'ERR_KUBE_LEADERSHIP_LOST';
}

const hasStatus = (status: number) => (error: unknown) => error instanceof ApiError && error.status === status;
const hasReason = (reason: string) => (error: unknown) => error instanceof ApiError && error.reason === reason;

export const isNotFound = hasStatus(404);
export const isForbidden = hasStatus(403);
export const isInvalid = hasStatus(422);
/** The resourceVersion asked for is no longer kept (410, as HTTP status or inside a watch stream). */
export const isGone = hasStatus(410);
/** The object changed since it was read: look again. An object that exists already is not this. */
export const isConflict = hasReason('Conflict');
export const isAlreadyExists = hasReason('AlreadyExists');

/** 400, 405, 406, 413, 415 and 422: the same request will be refused again. */
export function isPermanent(error: unknown): boolean {
  return error instanceof ApiError && [400, 405, 406, 413, 415, 422].includes(error.status);
}

/** Milliseconds that the server asked to wait; 0 if it did not. */
export function retryAfter(error: unknown): number {
  return error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
}

/** What was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** What was thrown, as fields of a log line; with the stack where the place in our code matters. */
export function errorFields(thrown: unknown): { error: string; stack?: string } {
  const error = toError(thrown);
  const expected = error instanceof ApiError || error instanceof ConnectionError;
  return { error: error.message, ...(!expected && error.stack && { stack: error.stack }) };
}

function reasonOf(cause: unknown): string {
  // Node reports a failed connection to several addresses as an AggregateError without a message.
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(reasonOf).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}
