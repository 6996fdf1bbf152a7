import { type ServiceError, status } from '@grpc/grpc-js';
import { TransferError, type TransferErrorCode } from '../base/errors.ts';

const codes: Partial<Record<status, TransferErrorCode>> = {
  [status.UNAUTHENTICATED]: 'Unauthorized',
  [status.PERMISSION_DENIED]: 'Forbidden',
  [status.INVALID_ARGUMENT]: 'RequestRejected',
  [status.FAILED_PRECONDITION]: 'RequestRejected',
  [status.OUT_OF_RANGE]: 'RequestRejected',
  [status.UNIMPLEMENTED]: 'RequestRejected',
  [status.NOT_FOUND]: 'NotFound',
  // A stream is ended after its longest duration, too.
  [status.DEADLINE_EXCEEDED]: 'ConnectionLost',
  [status.CANCELLED]: 'ConnectionLost',
  [status.ABORTED]: 'ConnectionLost',
};

/**
 * Says what a gRPC call to a SnapshotMetadata service has failed with. Tenants see that, so a token that the service
 * repeats is left out.
 */
export function serviceFailure(error: unknown, address: string, token: string): TransferError {
  if (error instanceof TransferError) return error;
  const { code, details, message } = error as Partial<ServiceError>;
  const name = code === undefined ? 'no status' : status[code];
  const reason = details || message || 'without a reason';
  return new TransferError(
    (code !== undefined && codes[code]) || 'ServerUnavailable',
    `the SnapshotMetadata service at ${address} answered ${name}: ${token === '' ? reason : reason.replaceAll(token, '(the token)')}`,
    { cause: error },
  );
}
