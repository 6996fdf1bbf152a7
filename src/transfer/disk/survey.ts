import type { DiskSource } from '../../base/disk-source.ts';
import { unlessAborted } from '../../base/unless-aborted.ts';
import { piecesOf } from './pieces.ts';

/** How much of a disk is data, in bytes. */
export interface Survey {
  /** Data of the whole disk. */
  total: number;
  /** Data before the offset from which the disk will be read. */
  before: number;
}

/** Adds up the data of a disk before it is read. Its ranges are not kept: a disk can have any number of them. */
export async function surveyDisk(disk: DiskSource, from: number, signal: AbortSignal | undefined): Promise<Survey> {
  const survey: Survey = { total: 0, before: 0 };
  const pieces = piecesOf(disk, 0, Infinity);
  for (;;) {
    const { value: piece } = await unlessAborted(pieces.next(), signal);
    if (piece === undefined) return survey;
    if (piece.content !== 'data') continue;
    survey.total += piece.length;
    survey.before += Math.max(0, Math.min(piece.offset + piece.length, from) - piece.offset);
  }
}
