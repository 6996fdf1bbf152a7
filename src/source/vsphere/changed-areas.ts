import { TransferError } from '../../base/errors.ts';
import type { Reference } from './reference.ts';
import type { VsphereSession } from './session.ts';
import { child, children, type Element, element, text, textOf } from './xml.ts';

/** Part of a disk that has changed, in bytes. */
export interface ChangedArea {
  readonly start: number;
  readonly length: number;
}

export interface ChangesQuestion {
  readonly machine: Reference;
  /** Identifier of the snapshot. */
  readonly snapshot: string;
  /** Key of the disk's device. */
  readonly deviceKey: string;
  /** Since when. */
  readonly changeId: string;
  /** Size of the disk in bytes. */
  readonly capacity: number;
}

/**
 * Returns what has changed since a change id, up to a snapshot: ascending, without overlaps. The server tells it in
 * pieces.
 *
 * @throws TransferError
 */
export async function changedAreas(
  session: VsphereSession,
  { machine, snapshot, deviceKey, changeId, capacity }: ChangesQuestion,
): Promise<ChangedArea[]> {
  const areas: ChangedArea[] = [];
  for (let offset = 0; offset < capacity;) {
    const parameters =
      element('snapshot', text(snapshot), 'VirtualMachineSnapshot') +
      element('deviceKey', text(deviceKey)) +
      element('startOffset', `${offset}`) +
      element('changeId', text(changeId));
    const answer = child(await session.call('QueryChangedDiskAreas', () => machine, parameters), 'returnval');
    const end = numberIn(answer, 'startOffset') + numberIn(answer, 'length');
    for (const area of children(answer, 'changedArea')) {
      const [start, length] = [numberIn(area, 'start'), numberIn(area, 'length')];
      const last = areas.at(-1);
      if (length <= 0 || (last !== undefined && start < last.start + last.length)) throw disordered(session.host);
      areas.push({ start, length });
    }
    if (end <= offset) throw disordered(session.host);
    offset = end;
  }
  return areas;
}

function numberIn(parent: Element | undefined, name: string): number {
  const value = Number(textOf(parent, name) ?? NaN);
  return Number.isSafeInteger(value) ? value : -1;
}

function disordered(host: string): TransferError {
  return new TransferError('ProtocolViolation', `${host} tells changed areas of the disk that make no sense`);
}
