import { fileURLToPath } from 'node:url';
import type { Progress } from '../transfer/progress.ts';
import type { Source } from '../transfer/source.ts';
import { FileSource } from '../transfer/sources/file-source.ts';
import { HttpSource } from '../transfer/sources/http-source.ts';
import { RegistrySource } from '../transfer/sources/registry-source.ts';

export interface SourceOptions {
  header?: string[];
  ca?: string;
  insecure?: boolean;
  architecture?: string;
}

/** The source that somebody means by a URL or a path. */
export function createSource(given: string, options: SourceOptions, progress: Progress): Source {
  const { ca: certificatesDirectory, insecure = false, architecture, header: headers = [] } = options;
  if (given.startsWith('docker://')) {
    return new RegistrySource(
      { url: given, certificatesDirectory, insecureRegistry: insecure, architecture },
      progress,
    );
  }
  if (given.startsWith('file://')) return new FileSource(fileURLToPath(given), progress);
  if (!given.includes('://')) return new FileSource(given, progress);
  return new HttpSource({ url: given, certificatesDirectory, insecureSkipVerify: insecure, headers }, progress);
}
