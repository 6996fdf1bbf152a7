import { file } from './file.ts';
import { gcs } from './gcs.ts';
import type { GivenSource } from './given-source.ts';
import { http } from './http.ts';
import { imageio } from './imageio.ts';
import { ociArchive } from './oci-archive.ts';
import { registry } from './registry.ts';
import { s3 } from './s3.ts';
import { standardInput } from './standard-input.ts';
import { vddk } from './vddk.ts';

/** Every kind of source of the command line, in the order of the help. The first kind that matches is used. */
const sources: readonly GivenSource[] = [http, registry, s3, gcs, imageio, vddk, ociArchive, file, standardInput];

/** Returns the kind of a source. A URL with an unknown scheme is left to the web source, which refuses it by name. */
export function givenSource(given: string): GivenSource {
  return sources.find((source) => source.matches(given)) ?? http;
}

/**
 * Lists the sources of a command for its help.
 *
 * @param withStreams whether the command accepts sources that can be read only once
 */
export function shownSources(withStreams: boolean): string {
  const shown = sources.filter(({ isStream }) => withStreams || !isStream).map((source) => source.shown);
  return `${shown.slice(0, -1).join(', ')}, or ${shown.at(-1)}`;
}
