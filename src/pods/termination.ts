import { writeFile } from 'node:fs/promises';
import { env } from 'node:process';
import type { TransferResult } from '../protocol/transfer-pod.ts';

/** Kubernetes truncates termination messages to this many bytes. */
const LONGEST_MESSAGE = 4096;
const DEFAULT_PATH = '/dev/termination-log';

/**
 * Serialises the result as JSON that fits a termination message: texts are shortened and labels left out where
 * necessary.
 */
export function serializeResult(result: TransferResult): string {
  const whole = JSON.stringify(result);
  if (fits(whole)) return whole;
  if (!('message' in result)) return JSON.stringify({ ...result, labels: undefined });
  let message = result.message;
  for (;;) {
    message = message.slice(0, Math.floor(message.length * 0.9));
    const shortened = JSON.stringify({ ...result, message: `${message}…` });
    if (fits(shortened) || message.length === 0) return shortened;
  }
}

/** Writes the result where the kubelet reads the termination message of a container. */
export async function writeTerminationMessage(result: TransferResult): Promise<void> {
  const path = env['TERMINATION_MESSAGE_PATH'] ?? DEFAULT_PATH;
  // Not created where it is missing, because it has no use outside a pod.
  await writeFile(path, serializeResult(result), { flag: env['TERMINATION_MESSAGE_PATH'] === undefined ? 'r+' : 'w' });
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= LONGEST_MESSAGE;
}
