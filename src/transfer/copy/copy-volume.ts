import type { Progress } from '../../base/progress.ts';
import type { CloneReceiver, CloneTarget, ReceivedClone } from './copy-receiver.ts';
import type { CloneContent } from './copy-source-volume.ts';

/**
 * Writes a volume to a target that this process has, too. Nothing is between the two: what is read of a disk is written
 * from the same memory, so that there is nothing to encode, and no damage on the way to be found.
 *
 * @param progress counts what is read
 * @throws TransferError as the source or the target does; the target keeps what it has for another attempt, unless it
 *   failed itself
 */
export async function copyVolume(
  content: CloneContent,
  target: CloneTarget,
  progress: Progress,
  signal?: AbortSignal,
): Promise<ReceivedClone> {
  const { offer } = content;
  const receiver = await target.receiverFor(offer);
  let isOfTarget = false;
  /** Tells a failure of the target from one of the source. */
  const byTarget = async <Result>(work: Promise<Result>): Promise<Result> => {
    isOfTarget = true;
    const result = await work;
    isOfTarget = false;
    return result;
  };
  try {
    await byTarget(receiver.begin(offer));
    for await (const write of writesOf(content, receiver, progress, signal)) {
      signal?.throwIfAborted();
      await byTarget(write());
    }
    signal?.throwIfAborted();
    progress.enter('syncing');
    const clone = await byTarget(receiver.finish());
    return { ...clone, ...(offer.allocation && { allocation: offer.allocation }) };
  } catch (error) {
    const leave = isOfTarget ? receiver.abandon() : receiver.suspend();
    await leave.catch((reason: unknown) => progress.note('not left as it should be', { reason: String(reason) }));
    throw error;
  }
}

/** Yields what the target has to do with each part of the content, which is done before the next one is read. */
async function* writesOf(
  content: CloneContent,
  receiver: CloneReceiver,
  progress: Progress,
  signal: AbortSignal | undefined,
): AsyncGenerator<() => Promise<void>> {
  if (content.readDisk === undefined || receiver.add === undefined) {
    for await (const pieces of content.open(progress, signal)) {
      for (const piece of pieces) yield () => receiver.write(piece);
    }
    return;
  }
  const { checks = [], extents } = await content.readDisk(progress);
  const add = receiver.add.bind(receiver);
  yield () => add(checks);
  for await (const some of extents) yield () => add(some);
}
