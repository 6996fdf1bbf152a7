import type { TransferWords } from '../transfers/transfer-kind.ts';

/** How uploads are called in events and conditions. */
export const uploadWords: TransferWords = {
  completed: 'Upload Complete',
  succeededReason: 'UploadSucceeded',
  succeeded: 'Successfully uploaded into',
  failedReason: 'UploadFailed',
};
