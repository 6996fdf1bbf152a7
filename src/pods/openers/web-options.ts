import { mounted } from '../mounted-secrets.ts';
import type { Opening } from './opener.ts';

/** The options of every source that is behind a URL. */
export async function webOptions({ mounts, followsInternalRedirects, patience, signal }: Opening) {
  return {
    certificatesDirectories: await mounted([mounts.certificates, mounts.proxyCertificates]),
    followsInternalRedirects,
    signal,
    ...(patience === undefined ? {} : { patience }),
  };
}
