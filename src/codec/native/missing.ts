import { igzip } from './igzip.ts';
import { libdeflate } from './libdeflate.ts';
import { liblzma } from './liblzma.ts';
import { libzstd, zstdStream } from './libzstd.ts';

/** Returns the native libraries that are unavailable, and have slower substitutes. */
export function missingLibraries(): string[] {
  const libraries = { libdeflate, 'libisal 2.30': igzip, 'liblzma 5.4': liblzma, libzstd: libzstd && zstdStream };
  return Object.entries(libraries).flatMap(([name, library]) => (library === null ? [name] : []));
}
