import { readCredentials } from '../mounted-secrets.ts';
import type { OpenerOf } from './opener.ts';
import { webOptions } from './web-options.ts';

export const imageio: OpenerOf<'imageio'> = {
  async open({ url, diskId: disk, insecureSkipVerify }, opening) {
    const { mounts, progress, stage, openTransfers } = opening;
    const options = {
      ...(await webOptions(opening)),
      ...{ url, disk, insecureSkipVerify, stage, openTransfers },
      login: await readCredentials(mounts.credentials),
    };
    const { openImageio } = await import('../../source/imageio/open-imageio.ts');
    return { disk: await openImageio(options, progress) };
  },
};
