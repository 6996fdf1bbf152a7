import { createLogger, type Logger } from '../base/logger.ts';
import {
  BLOCK_DEVICE_PATH,
  COPY_PORT,
  DATA_DIRECTORY,
  PROGRESS_PORT,
  TRANSFER_TLS_DIRECTORY,
} from '../protocol/transfer-pod.ts';

/** The settings that both pods of a host-assisted copy share. */
export interface CloneSettings {
  dataDirectory: string;
  blockDevice: string;
  tlsDirectory: string;
  /** Port of the copy server; 0 for any free one. */
  port: number;
  progressPort: number;
  logger: Logger;
}

/** Returns the settings as they are in a pod. */
export function podCloneSettings(): CloneSettings {
  return {
    dataDirectory: DATA_DIRECTORY,
    blockDevice: BLOCK_DEVICE_PATH,
    tlsDirectory: TRANSFER_TLS_DIRECTORY,
    port: COPY_PORT,
    progressPort: PROGRESS_PORT,
    logger: createLogger(),
  };
}
