/** What identifies a version of an image: a digest of its content, or for a claim, its uid. */
const DIGEST = /^(sha256:(?<content>[0-9a-f]{12})[0-9a-f]{0,52}|uid:(?<uid>[0-9a-z][0-9a-z.-]{10}[0-9a-z]).*)$/;

/** Reports whether a digest, which somebody else may have written, is one. */
export function isDigest(text: string | undefined): text is string {
  return text !== undefined && DIGEST.test(text);
}

/**
 * Returns the name of the DataVolume, claim or snapshot with an image.
 *
 * @param dataSource name of the DataSource that stands for the newest image
 */
export function imageNameOf(dataSource: string, digest: string): string {
  const { content, uid } = DIGEST.exec(digest)?.groups ?? {};
  return `${dataSource}-${content ?? uid}`;
}

/** Returns a digest for people: as much of it as the name of its image has. */
export function shortDigest(digest: string): string {
  const { content, uid } = DIGEST.exec(digest)?.groups ?? {};
  return content ?? uid ?? digest;
}
