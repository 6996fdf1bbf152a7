import { env } from 'node:process';
import { TransferError } from '../base/errors.ts';
import { createLogger, type Logger } from '../base/logger.ts';
import {
  BLOCK_DEVICE_PATH,
  COPY_PORT,
  DATA_DIRECTORY,
  OWNER_UID_VARIABLE,
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

/**
 * Returns what identifies the copy that this pod is for, whichever pods make it.
 *
 * @throws TransferError InvalidRequest
 */
export function copyFromEnvironment(): string {
  const copy = env[OWNER_UID_VARIABLE];
  if (copy) return copy;
  throw new TransferError(
    'InvalidRequest',
    `${OWNER_UID_VARIABLE} does not say which copy this pod is for, and it could take another one's checkpoint for its own`,
  );
}
