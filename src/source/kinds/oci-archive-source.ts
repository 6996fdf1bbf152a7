import type { FileHandle } from 'node:fs/promises';
import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { Source } from '../../base/source.ts';
import { ARCHIVE_INDEX, OciArchive } from '../registry/oci-archive.ts';
import { ContainerImage } from './container-image.ts';
import { FileSource } from './file-source.ts';
import { HttpSource, type HttpSourceOptions } from './http-source.ts';

const SCHEME = 'oci-archive:';

export interface OciArchiveSourceOptions extends HttpSourceOptions {
  /** oci-archive: with an http(s) URL, or a path on this machine. */
  url: string;
  /** Architecture as image indexes spell it; by default that of this machine. */
  architecture?: string | undefined;
  /** Opens a path; restricts which of the files that the process could open are allowed. */
  openFile?: (path: string) => Promise<FileHandle>;
}

/** The disk of a container image in a tar archive, in a file or on a web server. */
export class OciArchiveSource extends ContainerImage {
  constructor(options: OciArchiveSourceOptions, progress: Progress) {
    const archive = openArchive(options, progress);
    const { architecture } = options;
    super(new OciArchive(archive), { location: archive.location, reference: ARCHIVE_INDEX, architecture }, progress);
  }
}

function openArchive(options: OciArchiveSourceOptions, progress: Progress): Source {
  const place = options.url.slice(SCHEME.length);
  if (place === '') throw new TransferError('InvalidUrl', 'an oci-archive: needs a URL or a path after its colon');
  if (/^https?:\/\//.test(place)) return new HttpSource({ ...options, url: place }, progress);
  return new FileSource(place, progress, place, options.openFile);
}
