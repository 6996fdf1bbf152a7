import { TransferError } from '../../base/errors.ts';

const cancelledByUser = new Set(['cancelled_user', 'cancelled']);
/** Phases from which a transfer does not come back. */
const ended = new Set([
  'cancelled_system',
  'finalizing_success',
  'finalizing_failure',
  'finalizing_cleanup',
  'finished_success',
  'finished_failure',
  'finished_cleanup',
]);

/**
 * Whether a transfer can be read from in a phase; not yet where it is initialized, resumed or paused.
 *
 * @throws TransferError TransferCancelled where somebody has ended it; TransferEnded where the engine has
 */
export function isTransferring(phase: string, disk: string, host: string): boolean {
  if (cancelledByUser.has(phase)) {
    throw new TransferError(
      'TransferCancelled',
      `the transfer of disk ${disk} was cancelled at the engine ${host}: ask its administrator, and import the disk again`,
    );
  }
  if (ended.has(phase)) {
    throw new TransferError('TransferEnded', `the engine ${host} has ended the transfer of disk ${disk} (${phase})`);
  }
  return phase === 'transferring';
}
