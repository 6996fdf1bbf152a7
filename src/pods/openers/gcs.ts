import { readServiceAccount } from '../mounted-secrets.ts';
import type { OpenerOf } from './opener.ts';
import { webOptions } from './web-options.ts';

export const gcs: OpenerOf<'gcs'> = {
  async open({ url }, opening) {
    const credentials = await readServiceAccount(opening.mounts.credentials);
    const { GcsSource } = await import('../../source/kinds/gcs-source.ts');
    return { source: new GcsSource({ ...(await webOptions(opening)), url, credentials }, opening.progress) };
  },
};
