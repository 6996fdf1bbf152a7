import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, TransferError } from '../../base/errors.ts';

/** Where the library is in the pods that have it. */
export const VDDK_LIBRARY_FOLDER = '/opt/vmware-vix-disklib-distrib';
/** Where the image has the plugin of nbdkit that reads disks by the library. */
export const VDDK_PLUGIN_PATH = '/usr/lib/diskpress/nbdkit-diskpress-vddk-plugin.so';

/** The ways in which a host can compress what it sends. */
export const vddkCompressions = ['none', 'zlib', 'fastlz', 'skipz'] as const;
export type VddkCompression = (typeof vddkCompressions)[number];

/**
 * Reads the name of a compression.
 *
 * @param where it is written, for the message
 * @throws TransferError InvalidRequest
 */
export function parseCompression(name: string | undefined, where: string): VddkCompression | undefined {
  if (name === undefined) return undefined;
  const known = vddkCompressions.find((each) => each === name.trim());
  if (known) return known;
  throw new TransferError(
    'InvalidRequest',
    `${where} is "${name.trim()}", which VDDK has no compression for: use one of ${vddkCompressions.join(', ')}`,
  );
}

/** Where the VDDK library and what reads through it are on this machine. */
export interface VddkInstallation {
  /** The folder of the library, which has `lib64/libvixDiskLib.so.*`. */
  readonly libraryFolder: string;
  /** The plugin of nbdkit. */
  readonly plugin: string;
  /** The library's own configuration file. */
  readonly configurationFile?: string | undefined;
  /** How the host compresses what it sends, where it can; not at all by default. */
  readonly compression?: VddkCompression | undefined;
  /** A folder for a socket. Its path must be short: that of a socket has at most 107 bytes. */
  readonly workFolder: string;
}

/**
 * Checks that there is a library, because a loader would only say which file it does not find.
 *
 * @throws TransferError ProgramMissing
 */
export async function requireLibrary({ libraryFolder }: VddkInstallation): Promise<void> {
  const folder = join(libraryFolder, 'lib64');
  const names = await readdir(folder).catch((error: unknown) => systemCode(error) ?? 'failed');
  if (typeof names !== 'string' && names.some((name) => name.startsWith('libvixDiskLib.so'))) return;
  const why = typeof names === 'string' ? names : 'no libvixDiskLib.so';
  throw new TransferError(
    'ProgramMissing',
    `there is no VDDK library in ${folder} (${why}): an image with vmware-vix-disklib-distrib has to bring it`,
  );
}
