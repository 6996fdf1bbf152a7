import { readCredentials } from '../mounted-secrets.ts';
import type { OpenerOf } from './opener.ts';
import { webOptions } from './web-options.ts';

export const s3: OpenerOf<'s3'> = {
  async open({ url }, opening) {
    const login = await readCredentials(opening.mounts.credentials);
    const credentials = login && { accessKeyId: login.user, secretAccessKey: login.password };
    const { S3Source } = await import('../../source/kinds/s3-source.ts');
    return { source: new S3Source({ ...(await webOptions(opening)), url, credentials }, opening.progress) };
  },
};
