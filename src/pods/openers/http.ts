import { parseChecksum } from '../../base/checksum.ts';
import { readCredentials, readSecretHeaders } from '../mounted-secrets.ts';
import type { OpenerOf } from './opener.ts';
import { webOptions } from './web-options.ts';

export const http: OpenerOf<'http'> = {
  async open({ url, extraHeaders: headers, insecureSkipVerify, checksum }, opening) {
    const expected = checksum === undefined ? undefined : parseChecksum(checksum);
    const { mounts, progress } = opening;
    const options = {
      ...(await webOptions(opening)),
      url,
      headers,
      insecureSkipVerify,
      secretHeaders: await readSecretHeaders(mounts.secretHeaders),
      credentials: await readCredentials(mounts.credentials),
    };
    const { HttpSource } = await import('../../source/kinds/http-source.ts');
    return { source: new HttpSource(options, progress), checksum: expected };
  },
};
