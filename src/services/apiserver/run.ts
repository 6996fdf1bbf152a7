import { runService } from '../run-service.ts';
import { UploadApi } from './upload-api.ts';

/** Runs the upload API as a process, see {@link runService}. */
export const runApiServer = (): Promise<number> => runService((options) => new UploadApi(options));
