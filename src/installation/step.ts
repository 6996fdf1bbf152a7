import pRetry, { AbortError } from 'p-retry';
import type { Logger } from '../base/logger.ts';
import type { KubeClient } from '../kube/client.ts';
import { ApiError, isPermanent, toError } from '../kube/errors.ts';

/** What a step of an installation or of its removal works with. */
export interface StepContext {
  readonly client: KubeClient;
  /** Namespace of the installation. */
  readonly namespace: string;
  readonly logger: Logger;
  /** Aborted when the step has no more time. */
  readonly signal: AbortSignal;
}

/** A step; what it throws says what is in the way, for people. */
export type Step = (context: StepContext) => Promise<void>;

/** Thrown while something is not yet as it has to be: it is looked at again. */
export class NotYet extends Error {
  readonly code = 'ERR_NOT_YET';
}

/**
 * Does something until it succeeds, or is refused for good.
 *
 * @throws what it threw at last, once the step has no more time
 */
export async function persistently<T>({ signal, logger }: StepContext, action: () => Promise<T>): Promise<T> {
  let last: Error | undefined;
  const attempt = async () => {
    try {
      return await action();
    } catch (thrown) {
      last = toError(thrown);
      if (isPermanent(last) || isDenied(last)) throw new AbortError(last);
      throw last;
    }
  };
  try {
    return await pRetry(attempt, {
      retries: Infinity,
      minTimeout: 500,
      maxTimeout: 5000,
      signal,
      onFailedAttempt: ({ error }) => {
        logger.verbose('trying again', { step: 'retry', error: error.message });
      },
    });
  } catch (error) {
    throw signal.aborted && last ? last : error;
  }
}

/** Whether an admission policy is against it. Missing rights are waited for: new ones are not in force at once. */
function isDenied(error: Error): boolean {
  return error instanceof ApiError && error.status < 500 && error.message.includes('ValidatingAdmissionPolicy');
}
