import { status } from '@grpc/grpc-js';

/** A failure that the CSI specification gives a gRPC code for; anything else that is thrown becomes INTERNAL. */
export class StatusError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
  }
}

export const aborted = (message: string) => new StatusError(status.ABORTED, message);
export const alreadyExists = (message: string) => new StatusError(status.ALREADY_EXISTS, message);
export const failedPrecondition = (message: string) => new StatusError(status.FAILED_PRECONDITION, message);
export const invalidArgument = (message: string) => new StatusError(status.INVALID_ARGUMENT, message);
export const notFound = (message: string) => new StatusError(status.NOT_FOUND, message);
export const outOfRange = (message: string) => new StatusError(status.OUT_OF_RANGE, message);
export const resourceExhausted = (message: string) => new StatusError(status.RESOURCE_EXHAUSTED, message);

/** Returns a required request field, or throws INVALID_ARGUMENT where it is missing or empty. */
export function required<Value>(field: string, value: Value | null | undefined): NonNullable<Value> {
  if (value === null || value === undefined || value === '') {
    throw invalidArgument(`${field} is required`);
  }
  return value;
}
