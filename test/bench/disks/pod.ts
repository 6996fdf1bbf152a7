import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { IMPORT_REQUEST_VARIABLE, type ImportRequest } from '../../../src/protocol/transfer-pod.ts';
import { bundle, linkNativeLibraries } from '../../integration/support/bundle.ts';
import type { Measured } from '../import/measure.ts';

export interface BenchedImport {
  source: ImportRequest['source'];
  login: { user: string; password: string };
  /** Path of the disk image that is written. */
  target: string;
  /** Bytes. */
  capacity: number;
  /** Further settings of the importer. */
  settings?: object;
}

/**
 * Returns how an importer is run as its pod runs it.
 *
 * @param state an existing folder for its files
 */
export async function importerRun(
  state: string,
  { source, login, target, capacity, settings = {} }: BenchedImport,
): Promise<Measured> {
  const credentials = await mkdtemp(join(state, 'credentials-'));
  await writeFile(join(credentials, 'accessKeyId'), login.user);
  await writeFile(join(credentials, 'secretKey'), login.password, { mode: 0o600 });
  const program = join(state, 'program');
  await mkdir(program);
  await linkNativeLibraries(program);
  const request = {
    source,
    target: {
      ...{ volumeMode: 'Filesystem', capacity, filesystemOverhead: 0, preallocation: false },
      contentType: 'kubevirt',
    },
    scratch: false,
  };
  return {
    program: execPath,
    args: [await bundle('pod.ts', program)],
    env: {
      [IMPORT_REQUEST_VARIABLE]: JSON.stringify(request),
      POD_SETTINGS: JSON.stringify({ ...settings, credentials, diskImage: target, progressPort: 0 }),
      TERMINATION_MESSAGE_PATH: join(state, 'termination-log'),
      OWNER_UID: 'f00d',
      // As in the Dockerfile.
      MALLOC_ARENA_MAX: '2',
    },
  };
}
