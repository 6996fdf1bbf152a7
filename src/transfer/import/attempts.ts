import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import { DoubtfulMember, FOUND_NOTHING } from '../../image/unwrap/doubtful-member.ts';

const MOST_RESTARTS = 5;

interface MemberChoiceOptions {
  progress: Progress;
  /** Whether the user has stated the format, which may be that of the chosen member. */
  formatIsStated: boolean;
  /** Called before the archive is read again. */
  forget: () => Promise<void>;
}

/**
 * Imports an image. An archive whose chosen member was not a disk after all is read again, and then only members that
 * are certainly disks count.
 *
 * @param attempt imports the image, with the archives in which only certain disks count
 */
export async function choosingMembers<T>(
  { progress, formatIsStated, forget }: MemberChoiceOptions,
  attempt: (certainOnly: readonly number[]) => Promise<T>,
): Promise<T> {
  let certainOnly: readonly number[] = [];
  let doubt: DoubtfulMember | undefined;
  for (;;) {
    try {
      return await attempt(certainOnly);
    } catch (error) {
      // Where nothing better is found, the failure of the first member says more.
      if (doubt !== undefined && error instanceof TransferError && FOUND_NOTHING.has(error.code)) throw doubt.refusal;
      if (!(error instanceof DoubtfulMember) || formatIsStated) throw error;
      doubt = error;
      certainOnly = [...certainOnly, error.archive];
      progress.note('looking for another disk in the archive', { cause: error.message });
      await forget();
      progress.restart();
    }
  }
}

/** Imports an image, and starts over where the source changes while it is read. */
export async function restartingOnChange<T>(progress: Progress, attempt: () => Promise<T>): Promise<T> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransferError) || error.code !== 'SourceChanged' || restarts === MOST_RESTARTS)
        throw error;
      progress.note('restarting', { cause: error.message });
      progress.restart();
    }
  }
}
