import { type TransferProgress, transferProgress } from '../../protocol/transfer-pod.ts';
import { reportedText } from './reported-text.ts';

/** Longest description of a pod's activity or failure, in characters. */
const LONGEST_TEXT = 1024;
/**
 * Longest checkpoint in characters. A claim's annotations may have 256 KiB in total; an importer's checkpoint has less
 * than one KiB, or some 32 with a thousand ranges.
 */
const LONGEST_CHECKPOINT = 48 * 1024;
/** Longest identifier of an open transfer in characters; a UUID has 36. */
const LONGEST_IDENTIFIER = 64;

/**
 * Reads a progress document. Anybody may answer in place of a pod: the texts are limited before they are written to an
 * annotation, and a checkpoint that no importer would write is dropped, because a truncated one is useless.
 *
 * @returns undefined if it is not a progress document
 */
export function reportedProgress(document: unknown): TransferProgress | undefined {
  const { data } = transferProgress.safeParse(document);
  if (!data) return undefined;
  const { stage, failure, checkpoint, openTransfer, bytesPerSecond, ...numbers } = data;
  return {
    ...numbers,
    stage: reportedText(stage, LONGEST_TEXT),
    bytesPerSecond: Math.min(bytesPerSecond, Number.MAX_SAFE_INTEGER),
    ...(failure === undefined ? {} : { failure: reportedText(failure, LONGEST_TEXT) }),
    ...(checkpoint === undefined || checkpoint.length > LONGEST_CHECKPOINT ? {} : { checkpoint }),
    ...(openTransfer === undefined || openTransfer.length > LONGEST_IDENTIFIER ? {} : { openTransfer }),
  };
}
