import type { AccessMode, VolumeCapability } from './messages.ts';
import { invalidArgument } from './status-error.ts';

const FILESYSTEM_TYPES = ['', 'ext4', 'xfs'];

/** The volume mode, in Kubernetes' words, that the capabilities ask for. */
export type VolumeMode = 'Filesystem' | 'Block';

/** @throws StatusError INVALID_ARGUMENT where they contradict each other, lack a part, or ask for what there is not */
export function volumeModeOf(capabilities: VolumeCapability[]): VolumeMode {
  const modes = new Set(capabilities.map(modeOf));
  const [mode] = modes;
  if (mode === undefined) {
    throw invalidArgument('volume_capabilities is required');
  }
  if (modes.size > 1) {
    throw invalidArgument('volume_capabilities: a volume is either mounted or a block device');
  }
  return mode;
}

/** The filesystem that the capabilities ask for; empty where they leave that to the driver. */
export function fsTypeOf(capabilities: VolumeCapability[]): string {
  return capabilities.find(({ mount }) => mount?.fs_type)?.mount?.fs_type ?? '';
}

/** The access mode that lets one pod only use the volume. */
export const SINGLE_WRITER: AccessMode = 'SINGLE_NODE_SINGLE_WRITER';

function modeOf(capability: VolumeCapability): VolumeMode {
  if (!capability.access_mode || capability.access_mode.mode === 'UNKNOWN') {
    throw invalidArgument('volume_capability.access_mode is required');
  }
  if (capability.access_type === 'block') {
    return 'Block';
  }
  if (!capability.mount) {
    throw invalidArgument('volume_capability.access_type is required');
  }
  if (!FILESYSTEM_TYPES.includes(capability.mount.fs_type)) {
    throw invalidArgument(`volume_capability.mount.fs_type ${capability.mount.fs_type} is not supported`);
  }
  return 'Filesystem';
}
