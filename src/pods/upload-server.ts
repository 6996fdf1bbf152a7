import { TransferError } from '../base/errors.ts';
import { createLogger } from '../base/logger.ts';
import { PROGRESS_PORT, UPLOAD_REQUEST_VARIABLE, uploadRequest } from '../protocol/transfer-pod.ts';
import { requestFromEnvironment, runTransferRole } from './transfer-role.ts';

/**
 * Runs the upload server pod.
 *
 * @returns the exit code: 0 when the volume is filled, 1 otherwise
 */
export async function runUploadServer(): Promise<number> {
  return runTransferRole({
    name: 'the upload server',
    logger: createLogger(),
    progressPort: PROGRESS_PORT,
    metric: 'kubevirt_cdi_import_progress_total',
    work: async () => {
      const { target } = requestFromEnvironment(UPLOAD_REQUEST_VARIABLE, uploadRequest);
      throw new TransferError('InvalidRequest', `nothing can be uploaded to a ${target.volumeMode} volume`);
    },
  });
}
