import type { TransferWords } from '../transfers/transfer-kind.ts';

/** How imports are called in events and conditions. */
export const importWords: TransferWords = {
  completed: 'Import Complete',
  succeededReason: 'ImportSucceeded',
  succeeded: 'Successfully imported into PVC',
  failedReason: 'ImportFailed',
};
