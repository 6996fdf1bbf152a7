import { tmpdir } from 'node:os';
import { env } from 'node:process';
import { TransferError } from '../../base/errors.ts';
import { parseCompression, VDDK_LIBRARY_FOLDER, VDDK_PLUGIN_PATH } from '../../source/vddk/library.ts';
import type { GivenSource } from './given-source.ts';
import { environmentLogin } from './login.ts';

/** A disk of VMware, with the user and password of the environment, read by VMware's library on this machine. */
export const vddk: GivenSource = {
  shown: 'vddk://…',
  matches: (given) => given.startsWith('vddk://'),
  async open(given, settings, progress) {
    const installation = {
      libraryFolder: env['VDDK_LIBDIR'] ?? VDDK_LIBRARY_FOLDER,
      plugin: env['VDDK_PLUGIN'] ?? VDDK_PLUGIN_PATH,
      configurationFile: env['VDDK_CONFIG'],
      compression: parseCompression(env['VDDK_COMPRESSION'], 'VDDK_COMPRESSION'),
      workFolder: tmpdir(),
    };
    const credentials = await environmentLogin('VSPHERE');
    const { openVddkDisk } = await import('../../source/vddk/open-vddk-disk.ts');
    return openVddkDisk({ ...settings, ...parse(given), credentials, installation }, progress);
  },
};

/** @throws TransferError InvalidUrl */
function parse(given: string): { url: string; uuid: string; backingFile: string; thumbprint: string | undefined } {
  const { host, searchParams } = URL.parse(given) ?? {};
  const uuid = searchParams?.get('vm');
  if (!host || !uuid) {
    throw new TransferError(
      'InvalidUrl',
      'a disk of VMware is given as vddk://VCENTER?vm=UUID&disk=[DATASTORE] FOLDER/DISK.vmdk&thumbprint=SHA1, the last where the certificate is not trusted',
    );
  }
  const thumbprint = searchParams?.get('thumbprint') ?? undefined;
  // Without a disk, the failure lists those that there are.
  return { url: `https://${host}/sdk`, uuid, backingFile: searchParams?.get('disk') ?? '', thumbprint };
}
