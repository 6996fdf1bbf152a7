import { type CloneRig, portOf } from '../../integration/copy/rig/clone-rig.ts';
import type { RoleProgram } from '../../integration/support/running-role.ts';
import { followUsage } from './usage.ts';

const GIBIBYTE = 2 ** 30;

/** What a copy took: from the source's first word to the end of both processes, and at either end. */
export type CopyFigures = Readonly<
  Record<
    | 'seconds'
    | 'processor, s'
    | 'source: processor, s'
    | 'target: processor, s'
    | 'source: memory, MB'
    | 'target: memory, MB'
    | 'source: read, MB'
    | 'source: fetched, MB'
    | 'source: sent, MB',
    number
  >
>;

export interface Copied {
  readonly volumeMode: 'Filesystem' | 'Block';
  readonly contentType: 'kubevirt' | 'archive';
  /** Paths of block devices, for volumes that are. */
  readonly devices?: { readonly source: string; readonly target: string };
  /** Whether the target holds an earlier copy, of which another build knows nothing. */
  readonly holdsBase?: true;
  /** MB that have to be read and sent at least, where that is less than the whole. */
  readonly needed?: number;
}

/**
 * Copies the rig's source volume to its target volume.
 *
 * @throws Error where one of the ends does not succeed
 */
export async function copy(rig: CloneRig, program: RoleProgram, copied: Copied): Promise<CopyFigures> {
  const { volumeMode, contentType, devices, holdsBase = false } = copied;
  const server = rig.startServer(
    { volumeMode, contentType, capacity: 8 * GIBIBYTE },
    devices ? { blockDevice: devices.target } : {},
    { program, holdsBase },
  );
  const port = await portOf(server);
  const source = rig.startSource(
    { volumeMode, contentType },
    { port, ...(devices && { blockDevice: devices.source }) },
    { program },
  );
  const [usageOfSource, usageOfTarget] = [followUsage(source.process.pid), followUsage(server.process.pid)];
  await source.stage('starting');
  const began = performance.now();
  for (const role of [source, server]) {
    const result = await role.result();
    if (result.outcome !== 'succeeded') throw new Error(JSON.stringify(result));
  }
  const seconds = (performance.now() - began) / 1000;
  const [atSource, atTarget] = [usageOfSource(), usageOfTarget()];
  return {
    seconds,
    'processor, s': atSource.processor + atTarget.processor,
    'source: processor, s': atSource.processor,
    'target: processor, s': atTarget.processor,
    'source: memory, MB': atSource.memory,
    'target: memory, MB': atTarget.memory,
    'source: read, MB': atSource.read,
    'source: fetched, MB': atSource.fetched,
    'source: sent, MB': atSource.written,
  };
}

/**
 * Copies in the same way with one process that has both volumes, which counts as the target.
 *
 * @throws Error where it does not succeed
 */
export async function copyInOneProcess(rig: CloneRig, program: RoleProgram, copied: Copied): Promise<CopyFigures> {
  const { volumeMode, contentType, devices, holdsBase } = copied;
  const role = rig.startCopy(
    { volumeMode, contentType, capacity: 8 * GIBIBYTE },
    devices ? { sourceDevice: devices.source, blockDevice: devices.target } : {},
    { program, sourceVolumeMode: volumeMode, ...(holdsBase && { holdsBase }) },
  );
  const usage = followUsage(role.process.pid);
  await role.stage('starting');
  const began = performance.now();
  const result = await role.result();
  if (result.outcome !== 'succeeded') throw new Error(JSON.stringify(result));
  const seconds = (performance.now() - began) / 1000;
  const { processor, memory, fetched } = usage();
  return {
    seconds,
    'processor, s': processor,
    'source: processor, s': 0,
    'target: processor, s': processor,
    'source: memory, MB': 0,
    'target: memory, MB': memory,
    'source: read, MB': 0,
    'source: fetched, MB': fetched,
    'source: sent, MB': 0,
  };
}
