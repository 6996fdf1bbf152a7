import {
  BLOCK_DEVICE_PATH,
  DATA_DIRECTORY,
  PROGRESS_PORT,
  TRANSFER_TLS_DIRECTORY,
  UPLOAD_SERVER_PORT,
} from '../protocol/transfer-pod.ts';
import { createLogger, type Logger } from '../base/logger.ts';

/** What both pods of a host-assisted clone have. */
export interface CloneSettings {
  dataDirectory: string;
  blockDevice: string;
  tlsDirectory: string;
  /** The upload server's port; it takes any free one for 0. */
  port: number;
  progressPort: number;
  logger: Logger;
}

/** The settings as they are in a pod. */
export function podCloneSettings(): CloneSettings {
  return {
    dataDirectory: DATA_DIRECTORY,
    blockDevice: BLOCK_DEVICE_PATH,
    tlsDirectory: TRANSFER_TLS_DIRECTORY,
    port: UPLOAD_SERVER_PORT,
    progressPort: PROGRESS_PORT,
    logger: createLogger(),
  };
}
