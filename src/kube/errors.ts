import type { V1Status, V1StatusDetails } from '@kubernetes/client-node';

/** Thrown when the API server refused a request. `message` is the server's own, and names the object. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code = 'ERR_KUBE_API';
  /** HTTP status; for an error inside a watch stream, the code in its Status object. */
  readonly status: number;
  /** Machine-readable reason of the Status object, such as `AlreadyExists`; empty if there was none. */
  readonly reason: string;
  readonly details: V1StatusDetails | undefined;
  /** Seconds that the server asked to wait before a retry. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: Partial<V1Status> & { code: number }, retryAfterSeconds?: number) {
    super(status.message || `the API server answered with HTTP status ${status.code}`);
    this.status = status.code;
    this.reason = status.reason ?? '';
    this.details = status.details;
    this.retryAfterSeconds = retryAfterSeconds ?? status.details?.retryAfterSeconds;
  }
}

/** Thrown when the API server was unreachable, or the connection broke before its answer was complete. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code = 'ERR_KUBE_CONNECTION';

  constructor(request: string, cause: unknown) {
    super(`${request}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Thrown by a reconciler when a person must act. The object is not reconciled again until it, or a watched object that
 * concerns it, changes.
 */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly code = 'ERR_KUBE_TERMINAL';
  /** Reason in CamelCase, for conditions and events. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Thrown by a reconciler when nothing is wrong, but something named is missing. The object is reconciled again after a
 * delay.
 */
export class WaitingError extends Error {
  override readonly name = 'WaitingError';
  readonly code = 'ERR_KUBE_WAITING';
  /** Reason in CamelCase, for conditions and events. */
  readonly reason: string;
  /** Milliseconds until the next reconciliation, unless a watch triggers it first. */
  readonly after: number | undefined;

  constructor(reason: string, message: string, options?: ErrorOptions & { after?: number }) {
    super(message, options);
    this.reason = reason;
    this.after = options?.after;
  }
}

/** Thrown when another holder has the lease, or it could not be renewed in time: this process must stop acting. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
  readonly code = 'ERR_KUBE_LEADERSHIP_LOST';
}

const hasStatus = (status: number) => (error: unknown) => error instanceof ApiError && error.status === status;
const hasReason = (reason: string) => (error: unknown) => error instanceof ApiError && error.reason === reason;

export const isNotFound = hasStatus(404);
export const isForbidden = hasStatus(403);
export const isInvalid = hasStatus(422);
/** Reports whether the requested resourceVersion is no longer kept (410, as HTTP status or inside a watch stream). */
export const isGone = hasStatus(410);
/**
 * Reports whether the object changed since it was read, so that it has to be read again. An object that already exists
 * is a different error.
 */
export const isConflict = hasReason('Conflict');
/** Reports whether the message of another controller is about a conflict, after which that controller tries again. */
export const isAboutConflict = (message: string) => message.includes('the object has been modified');
/** Reports whether the message of a kubelet is about a Secret or ConfigMap that it has not got yet. */
export const isAboutCache = (message: string) => /failed to sync (secret|configmap) cache/.test(message);
export const isAlreadyExists = hasReason('AlreadyExists');

/** Reports whether the same request will be refused again: 400, 405, 406, 413, 415 and 422. */
export function isPermanent(error: unknown): boolean {
  return error instanceof ApiError && [400, 405, 406, 413, 415, 422].includes(error.status);
}

/** Returns the milliseconds that the server asked to wait; 0 if it did not. */
export function retryAfter(error: unknown): number {
  return error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
}

/** Returns the thrown value as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Returns the thrown value as fields of a log line, including the stack where the location in our code matters. */
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
