import { readProperty } from './properties.ts';
import type { Reference } from './reference.ts';
import type { VsphereSession } from './session.ts';
import { child, children, type Element, textOf } from './xml.ts';

/** A snapshot of a virtual machine. */
export interface Snapshot {
  readonly id: string;
  readonly name: string;
  /** The names from the first snapshot to this one, with slashes between them. */
  readonly path: string;
}

/** Returns all snapshots of a virtual machine, from the root to the leaves. */
export async function snapshotsOf(session: VsphereSession, machine: Reference): Promise<Snapshot[]> {
  const info = await readProperty(session, machine, 'snapshot');
  return children(info, 'rootSnapshotList').flatMap((root) => [...tree(root, '')]);
}

function* tree(node: Element, parentPath: string): Generator<Snapshot> {
  const name = textOf(node, 'name') ?? '';
  const path = `${parentPath}/${name}`;
  yield { id: child(node, 'snapshot')?.textContent ?? '', name, path };
  for (const childNode of children(node, 'childSnapshotList')) yield* tree(childNode, path);
}

/** Returns the snapshot that is meant by an identifier, a name or a path; undefined where there is none. */
export function findSnapshot(snapshots: readonly Snapshot[], meant: string): Snapshot | undefined {
  const path = meant.startsWith('/') ? meant : `/${meant}`;
  return (
    snapshots.find(({ id }) => id === meant) ??
    snapshots.find(({ name }) => name === meant) ??
    snapshots.find((snapshot) => snapshot.path === path)
  );
}
