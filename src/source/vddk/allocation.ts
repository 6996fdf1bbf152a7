import type { DiskRange } from '../../base/disk-source.ts';
import type { NbdClient } from '../nbd/client.ts';
import { AllocationFlag } from '../nbd/constants.ts';

/** Most bytes of one question: the protocol has 32 bits for them, and VDDK asks about whole pieces of 64 KiB. */
const LONGEST_QUESTION = 2 ** 32 - 2 ** 16;

/** Returns what is allocated from an offset on, up to an end at most: ascending, without gaps. */
export async function allocationOf(client: NbdClient, offset: number, end: number): Promise<DiskRange[]> {
  if (!client.tellsAllocation) return [{ offset, length: end - offset, content: 'data' }];
  const statuses = await client.blockStatus(offset, Math.min(end - offset, LONGEST_QUESTION));
  const ranges: DiskRange[] = [];
  let at = offset;
  for (const { length, flags } of statuses) {
    const within = Math.min(length, end - at);
    if (within <= 0) break;
    ranges.push({ offset: at, length: within, content: (flags & AllocationFlag.zero) === 0 ? 'data' : 'zeros' });
    at += within;
  }
  return ranges;
}
