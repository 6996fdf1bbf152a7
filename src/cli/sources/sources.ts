import { file } from './file.ts';
import { gcs } from './gcs.ts';
import type { GivenSource } from './given-source.ts';
import { http } from './http.ts';
import { ociArchive } from './oci-archive.ts';
import { registry } from './registry.ts';
import { s3 } from './s3.ts';
import { standardInput } from './standard-input.ts';

/** Every kind of source of the command line, in the order of the help. The first that a source matches is its own. */
const sources: readonly GivenSource[] = [http, registry, s3, gcs, ociArchive, file, standardInput];

/** Whose source it is; a scheme that is nobody's is refused, by its name, as a URL of a web server that cannot be. */
export function givenSource(given: string): GivenSource {
  return sources.find((source) => source.matches(given)) ?? http;
}

/**
 * The sources of a command, for its help.
 *
 * @param withStreams whether it takes those that can be read once only
 */
export function shownSources(withStreams: boolean): string {
  const shown = sources.filter(({ isStream }) => withStreams || !isStream).map((source) => source.shown);
  return `${shown.slice(0, -1).join(', ')}, or ${shown.at(-1)}`;
}
