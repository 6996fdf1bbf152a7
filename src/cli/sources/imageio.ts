import { TransferError } from '../../base/errors.ts';
import type { GivenSource } from './given-source.ts';
import { environmentLogin } from './login.ts';

const API = '/ovirt-engine/api';

/** A disk of oVirt, with the user and password of the environment. */
export const imageio: GivenSource = {
  shown: 'imageio://…',
  matches: (given) => given.startsWith('imageio://'),
  async open(given, settings, progress) {
    const { url, disk } = parse(given);
    const options = { ...settings, url, disk, login: await environmentLogin('OVIRT'), stage: undefined };
    const { openImageio } = await import('../../source/imageio/open-imageio.ts');
    return openImageio(options, progress);
  },
};

/** @throws TransferError InvalidUrl */
function parse(given: string): { url: string; disk: string } {
  const { host, pathname, searchParams } = URL.parse(given) ?? {};
  const disk = searchParams?.get('disk');
  if (!host || !disk) {
    throw new TransferError('InvalidUrl', `a disk of oVirt is given as imageio://ENGINE${API}?disk=ID`);
  }
  return { url: `https://${host}${pathname === undefined || /^\/?$/.test(pathname) ? API : pathname}`, disk };
}
