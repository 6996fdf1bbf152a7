import { asTransferError, ScratchNeeded, type TransferErrorCode } from '../../base/errors.ts';

/** Why a request is not answered with success: the status of the answer, and a sentence for whoever sends the image. */
export class UploadRefusal extends Error {
  override readonly name = 'UploadRefusal';
  readonly status: number;

  constructor(status: number, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.status = status;
  }
}

/** Permanent failures that no other image would overcome. */
const ofServer = new Set<TransferErrorCode>(['TargetNotWritable', 'ProgramMissing']);

/** Tells the client how the import of its image ended. */
export function refusalFor(error: unknown): UploadRefusal {
  if (error instanceof UploadRefusal) return error;
  const options = { cause: error };
  if (error instanceof ScratchNeeded) {
    return new UploadRefusal(503, `${error.message}; that space is prepared now: send the image again`, options);
  }
  const failure = asTransferError(error);
  if (!failure.permanent) return new UploadRefusal(503, `${failure.message}: send the image again`, options);
  return new UploadRefusal(ofServer.has(failure.code) ? 500 : 400, failure.message, options);
}
