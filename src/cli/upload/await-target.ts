import { setTimeout as sleep } from 'node:timers/promises';
import { asTransferError, TransferError } from '../../base/errors.ts';
import { formatDuration } from '../../base/format-duration.ts';
import { defaultPatience, Patience } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import type { TargetState, UploadTarget } from './target.ts';

const LOOK_AGAIN_MILLISECONDS = 500;

interface AwaitOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Waits until a target takes the image, and tells what it waits for whenever that changes.
 *
 * @param timeout milliseconds
 * @returns its state, which is `succeeded` where another upload has been faster
 * @throws TransferError where it failed, is not ready in time, or waits for a pod
 */
export async function untilReady(
  target: UploadTarget,
  { timeout, ...options }: AwaitOptions & { readonly timeout: number },
): Promise<TargetState> {
  const { progress } = options;
  const deadline = performance.now() + timeout;
  let told = '';
  for await (const state of statesOf(target, options)) {
    const { stage, message } = state;
    if (stage === 'ready' || stage === 'succeeded') return state;
    if (stage === 'unconsumed') {
      throw new TransferError(
        'InvalidRequest',
        `${target.shown} waits for a pod that uses its claim: make that pod, or add --force-bind (${message})`,
      );
    }
    if (performance.now() >= deadline) {
      const waited = formatDuration(timeout / 1000);
      throw new TransferError('ServerUnavailable', `${target.shown} is not ready after ${waited}: ${message}`);
    }
    if (message !== told) progress.note('awaiting', { what: `${target.shown}: ${message}` });
    told = message;
  }
  throw new Error('the states of a target have an end');
}

/**
 * Waits until a target that has received all of the image has it in place.
 *
 * @throws TransferError where that failed
 */
export async function untilSucceeded(target: UploadTarget, options: AwaitOptions): Promise<void> {
  const { progress } = options;
  progress.enter('syncing');
  for await (const { stage } of statesOf(target, options)) {
    if (stage === 'succeeded') break;
  }
  progress.enter('done');
}

/** @throws TransferError where the upload has failed, or the target cannot be read */
export async function hasSucceeded(target: UploadTarget, signal: AbortSignal): Promise<boolean> {
  return unlessFailed(target, await target.state(signal)).stage === 'succeeded';
}

/** Looks at a target again and again; an API server that is away for a while is waited for. */
async function* statesOf(target: UploadTarget, { progress, signal }: AwaitOptions): AsyncGenerator<TargetState> {
  const patience = new Patience(defaultPatience, progress, signal);
  for (;;) {
    yield unlessFailed(target, await patience.persist(() => target.state(signal), asTransferError));
    await sleep(LOOK_AGAIN_MILLISECONDS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function unlessFailed(target: UploadTarget, state: TargetState): TargetState {
  if (state.stage !== 'failed') return state;
  throw new TransferError('RequestRejected', `${target.shown} has failed: ${state.message}`);
}
