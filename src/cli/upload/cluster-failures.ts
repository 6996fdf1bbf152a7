import { TransferError, type TransferErrorCode } from '../../base/errors.ts';
import { ApiError, ConnectionError } from '../../kube/errors.ts';

const codes: Readonly<Record<number, TransferErrorCode>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  429: 'TooManyRequests',
};

/**
 * Makes requests to the API server.
 *
 * @param doing what the requests are for, for messages
 * @throws TransferError with what the API server says, where it refuses or does not answer
 */
export async function clusterFailures<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw clusterFailure(error, doing);
  }
}

function clusterFailure(error: unknown, doing: string): unknown {
  if (error instanceof ConnectionError) {
    return new TransferError('ConnectionFailed', `${doing}: the cluster does not answer (${error.message})`, {
      cause: error,
    });
  }
  if (error instanceof ApiError) {
    const code = codes[error.status] ?? (error.status >= 500 ? 'ServerUnavailable' : 'RequestRejected');
    return new TransferError(code, `${doing}: ${error.message}`, { cause: error });
  }
  return error;
}
