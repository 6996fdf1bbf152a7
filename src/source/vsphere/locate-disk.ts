import { TransferError } from '../../base/errors.ts';
import { type ChangedArea, changedAreas } from './changed-areas.ts';
import { disksOf, isSameDisk, type MachineDisk } from './disks.ts';
import type { Reference } from './reference.ts';
import type { VsphereSession } from './session.ts';
import { findSnapshot, type Snapshot, snapshotsOf } from './snapshots.ts';
import { child, element, text } from './xml.ts';

/** Which disk is meant, and for a stage of a multi-stage import, of which snapshot. */
export interface DiskQuestion {
  /** UUID of the virtual machine: its instance UUID, or that of its BIOS. */
  readonly uuid: string;
  /** `[datastore] folder/disk.vmdk` */
  readonly backingFile: string;
  readonly stage?: { readonly previous: string; readonly current: string } | undefined;
}

/** Where the library finds a disk. */
export interface LocatedDisk {
  /** Identifier of the virtual machine. */
  readonly machine: string;
  readonly file: string;
  /** Identifier of the snapshot; undefined for the disk as it is. */
  readonly snapshot: string | undefined;
  /** All names that a later stage may have for the snapshot; undefined where it is none. */
  readonly snapshotNames: readonly string[] | undefined;
  /** Identifies the content. */
  readonly identity: string;
  /** What has changed since the previous stage; undefined for a stage that has none. */
  readonly changes: ChangedArea[] | undefined;
}

/**
 * Finds a disk of a virtual machine.
 *
 * @throws TransferError NotFound, DiskNotFound, RequestRejected, and those of calls
 */
export async function locateDisk(
  session: VsphereSession,
  { uuid, backingFile, stage }: DiskQuestion,
): Promise<LocatedDisk> {
  const machine = (await findMachine(session, uuid, true)) ?? (await findMachine(session, uuid, false));
  if (machine === undefined) {
    throw new TransferError(
      'NotFound',
      `${session.host} has no virtual machine with the UUID ${uuid} that the user may see`,
    );
  }
  const snapshots = await snapshotsOf(session, machine);
  const disk = await findDisk(session, machine, snapshots, backingFile);
  const identity = `${machine.id} ${disk.objectId ?? disk.key}`;
  if (stage === undefined) {
    const content = `${identity} ${backingFile} ${disk.changeId ?? ''}`;
    return {
      machine: machine.id,
      file: backingFile,
      snapshot: undefined,
      snapshotNames: undefined,
      identity: content,
      changes: undefined,
    };
  }
  const current = await inSnapshot(session, snapshots, stage.current, disk);
  const { id, name, path } = current.snapshot;
  const { changeId, files } = current.disk;
  const file = files[0] ?? backingFile;
  const changes =
    stage.previous === '' ? undefined : await changesSince(session, machine, snapshots, stage.previous, current);
  return {
    machine: machine.id,
    file,
    snapshot: id,
    snapshotNames: [id, name, path, path.slice(1), ...(changeId === undefined ? [] : [changeId])],
    identity: `${identity} ${stage.previous} ${id} ${file}`,
    changes,
  };
}

interface SnapshotDisk {
  readonly snapshot: Snapshot;
  readonly disk: MachineDisk;
}

async function findMachine(session: VsphereSession, uuid: string, isInstance: boolean): Promise<Reference | undefined> {
  const parameters =
    element('uuid', text(uuid)) + element('vmSearch', 'true') + element('instanceUuid', `${isInstance}`);
  const answer = await session.call(
    'FindByUuid',
    ({ searchIndex }) => ({ type: 'SearchIndex', id: searchIndex }),
    parameters,
  );
  const id = child(answer, 'returnval')?.textContent;
  return id ? { type: 'VirtualMachine', id } : undefined;
}

/** The file is that of the machine, of a snapshot, or one that these are based on: names change with each snapshot. */
async function findDisk(
  session: VsphereSession,
  machine: Reference,
  snapshots: readonly Snapshot[],
  file: string,
): Promise<MachineDisk> {
  const isMeant = ({ files }: MachineDisk): boolean => files.includes(file);
  const own = await disksOf(session, machine);
  const found = own.find(isMeant);
  if (found !== undefined) return found;
  for (const { id } of snapshots) {
    const inIt = (await disksOf(session, referenceOf(id))).find(isMeant);
    if (inIt !== undefined) return inIt;
  }
  const names = own.map(({ files }) => files[0]).join(', ');
  const why = file === '' ? 'no disk is named' : `the virtual machine has no disk ${file}`;
  throw new TransferError('DiskNotFound', `${why}; its disks are ${names || 'none'}`);
}

async function inSnapshot(
  session: VsphereSession,
  snapshots: readonly Snapshot[],
  meant: string,
  disk: MachineDisk,
): Promise<SnapshotDisk> {
  const snapshot = findSnapshot(snapshots, meant);
  if (snapshot === undefined) {
    throw new TransferError(
      'NotFound',
      `the virtual machine has no snapshot ${meant} (any more): take one, and begin with it`,
    );
  }
  const found = (await disksOf(session, referenceOf(snapshot.id))).find((each) => isSameDisk(each, disk));
  if (found === undefined) {
    throw new TransferError(
      'DiskNotFound',
      `the snapshot ${meant} does not have the disk: it was added later, or removed before`,
    );
  }
  return { snapshot, disk: found };
}

async function changesSince(
  session: VsphereSession,
  machine: Reference,
  snapshots: readonly Snapshot[],
  previous: string,
  { snapshot: { id }, disk }: SnapshotDisk,
): Promise<ChangedArea[]> {
  const changeId = isChangeId(previous)
    ? previous
    : (await inSnapshot(session, snapshots, previous, disk)).disk.changeId;
  if (changeId === undefined) {
    throw new TransferError(
      'RequestRejected',
      `the snapshot ${previous} has no change id: turn on changed block tracking for the virtual machine, and begin with a new snapshot`,
    );
  }
  return changedAreas(session, { machine, snapshot: id, deviceKey: disk.key, changeId, capacity: disk.capacity });
}

/** `52 de c0 d9 b9 43 9d 10-61 d5 4c 1b e9 7b 65 63/81` */
function isChangeId(value: string): boolean {
  return value === '*' || /^[0-9a-f]{2}([ -]?[0-9a-f]{2}){15}\/\d+$/i.test(value);
}

function referenceOf(snapshot: string): Reference {
  return { type: 'VirtualMachineSnapshot', id: snapshot };
}
