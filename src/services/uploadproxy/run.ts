import { setDefaultHighWaterMark } from 'node:stream';
import { runService } from '../run-service.ts';
import { UploadProxy } from './upload-proxy.ts';

/** Bytes that wait at each end of an upload: half of Node's default takes no longer, and half of the memory. */
const HIGH_WATER_MARK = 32 * 1024;

/** Runs the upload proxy as a process, see {@link runService}. */
export async function runUploadProxy(): Promise<number> {
  setDefaultHighWaterMark(false, HIGH_WATER_MARK);
  return runService((options) => new UploadProxy(options));
}
