import { transferProgress, type TransferProgress } from '../../protocol/transfer-pod.ts';
import { reportedText } from './reported-text.ts';

/** Characters of what a pod says that it is doing, or why it has failed. */
const LONGEST_TEXT = 1024;
/** Characters. A claim's annotations have 256 KiB in all; an importer's checkpoint has less than one, with a thousand ranges some 32. */
const LONGEST_CHECKPOINT = 48 * 1024;

/**
 * Reads a progress document. What answers in a pod's place is anybody's: the texts are bounded before they get on an annotation, and
 * a checkpoint that no importer makes is left out, since a part of one is of no use.
 *
 * @returns undefined where it is none
 */
export function reportedProgress(document: unknown): TransferProgress | undefined {
  const { data } = transferProgress.safeParse(document);
  if (!data) return undefined;
  const { stage, failure, checkpoint, bytesPerSecond, ...numbers } = data;
  return {
    ...numbers,
    stage: reportedText(stage, LONGEST_TEXT),
    bytesPerSecond: Math.min(bytesPerSecond, Number.MAX_SAFE_INTEGER),
    ...(failure === undefined ? {} : { failure: reportedText(failure, LONGEST_TEXT) }),
    ...(checkpoint === undefined || checkpoint.length > LONGEST_CHECKPOINT ? {} : { checkpoint }),
  };
}
