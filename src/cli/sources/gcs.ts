import { env } from 'node:process';
import type { GivenSource } from './given-source.ts';
import { readGiven } from './read-given.ts';

/** An object of Google Cloud Storage, with the service account that the environment names. */
export const gcs: GivenSource = {
  shown: 'gs://…',
  matches: (given) => given.startsWith('gs://'),
  async open(url, settings, progress) {
    const { GcsSource } = await import('../../source/kinds/gcs-source.ts');
    const account = env['GOOGLE_APPLICATION_CREDENTIALS'];
    const credentials = account === undefined ? undefined : await readGiven(account);
    return new GcsSource({ ...settings, url, credentials, endpoint: endpoint() }, progress);
  },
};

/** Returns the endpoint from the variable that Google's own libraries use, too; it may hold just a host. */
function endpoint(): string | undefined {
  const host = env['STORAGE_EMULATOR_HOST'];
  return host === undefined || host.includes('://') ? host : `http://${host}`;
}
