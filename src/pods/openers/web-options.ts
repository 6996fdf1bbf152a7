import { mounted } from '../mounted-secrets.ts';
import type { Opening } from './opener.ts';

/** Returns the options that all sources with a URL share. */
export async function webOptions({ mounts, followsInternalRedirects, patience, signal }: Opening) {
  return {
    certificatesDirectories: await mounted([mounts.certificates, mounts.proxyCertificates]),
    followsInternalRedirects,
    signal,
    ...(patience === undefined ? {} : { patience }),
  };
}
