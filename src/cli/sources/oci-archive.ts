import { file } from './file.ts';
import type { GivenSource } from './given-source.ts';

const SCHEME = 'oci-archive:';

/** A container image in an archive, in a file or on a web server. */
export const ociArchive: GivenSource = {
  shown: 'oci-archive:…',
  matches: (given) => given.startsWith(SCHEME),
  localPath(given) {
    const place = given.slice(SCHEME.length);
    return file.matches(place) ? file.localPath?.(place) : undefined;
  },
  async open(url, settings, progress) {
    const { OciArchiveSource } = await import('../../source/kinds/oci-archive-source.ts');
    return new OciArchiveSource({ ...settings, url }, progress);
  },
};
