import { readProperty } from './properties.ts';
import type { Reference } from './reference.ts';
import type { VsphereSession } from './session.ts';
import { child, children, type Element, textOf, typeOf } from './xml.ts';

/** A disk of a virtual machine, or of a snapshot of it. */
export interface MachineDisk {
  /** Identifies the device in the machine. */
  readonly key: string;
  /** Identifies the disk, whatever file it has. */
  readonly objectId: string | undefined;
  /** `[datastore] folder/disk.vmdk`, then the files that it is based on. */
  readonly files: readonly string[];
  /** Identifies its content for changed block tracking, where that is on. */
  readonly changeId: string | undefined;
  /** In bytes. */
  readonly capacity: number;
}

/**
 * @param object a VirtualMachine or a VirtualMachineSnapshot
 * @throws TransferError
 */
export async function disksOf(session: VsphereSession, object: Reference): Promise<MachineDisk[]> {
  const devices = await readProperty(session, object, 'config.hardware.device');
  return children(devices, 'VirtualDevice')
    .filter((device) => typeOf(device) === 'VirtualDisk')
    .map((device) => ({
      key: textOf(device, 'key') ?? '',
      objectId: textOf(device, 'diskObjectId') || undefined,
      files: filesOf(child(device, 'backing')),
      changeId: textOf(child(device, 'backing'), 'changeId') || undefined,
      capacity: capacityOf(device),
    }));
}

/** Whether these are the same disk, at different times. */
export function isSameDisk(one: MachineDisk, other: MachineDisk): boolean {
  return one.objectId !== undefined && other.objectId !== undefined
    ? one.objectId === other.objectId
    : one.key === other.key;
}

function filesOf(backing: Element | undefined): string[] {
  const files: string[] = [];
  for (let current = backing; current !== undefined; current = child(current, 'parent')) {
    const name = textOf(current, 'fileName');
    if (name !== undefined) files.push(name);
  }
  return files;
}

function capacityOf(device: Element): number {
  return Number(textOf(device, 'capacityInBytes') ?? Number(textOf(device, 'capacityInKB') ?? 0) * 1024);
}
