import { readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { OWNER_UID_VARIABLE } from '../../protocol/transfer-pod.ts';
import { readCredentials } from '../mounted-secrets.ts';
import type { OpenerOf } from './opener.ts';
import { webOptions } from './web-options.ts';

/** The key of the ConfigMap with options that is the configuration file of the library. */
const CONFIGURATION_KEY = 'vddk-config-file';
/** The key that says how what the host sends is compressed. */
const COMPRESSION_KEY = 'vddk-compression';

export const vddk: OpenerOf<'vddk'> = {
  async open({ url, uuid, backingFile, thumbprint }, opening) {
    const { mounts, progress, stage } = opening;
    const credentials = await readCredentials(mounts.credentials);
    const configuration = join(mounts.vddkOptions, CONFIGURATION_KEY);
    const isConfigured = await stat(configuration).catch(() => undefined);
    const compression = await readFile(join(mounts.vddkOptions, COMPRESSION_KEY), 'utf8').catch(() => undefined);
    const { parseCompression } = await import('../../source/vddk/library.ts');
    const installation = {
      libraryFolder: mounts.vddkLibrary,
      plugin: mounts.vddkPlugin,
      configurationFile: isConfigured && configuration,
      compression: parseCompression(compression, `the key ${COMPRESSION_KEY} of the ConfigMap with options`),
      workFolder: tmpdir(),
    };
    const { openVddkDisk } = await import('../../source/vddk/open-vddk-disk.ts');
    const importId = env[OWNER_UID_VARIABLE] || undefined;
    const asked = { url, uuid, backingFile, thumbprint, stage, credentials, installation, importId };
    const disk = await openVddkDisk({ ...(await webOptions(opening)), ...asked }, progress);
    return { disk, vddk: () => disk.report };
  },
};
