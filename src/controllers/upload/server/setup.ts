import { transferController } from '../../transfers/setup.ts';
import { uploadTransfer } from './upload-transfer.ts';

/** Fills claims whose annotations request an upload, with an upload server pod. */
export const uploadServer = transferController(uploadTransfer);
