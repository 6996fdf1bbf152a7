import { posix } from 'node:path';

/**
 * Normalises the path of an archive's member, which may be spelt in several ways: ./a, /a, b/../a; composed or
 * decomposed letters.
 */
export function memberPath(path: string): string {
  return posix
    .normalize(path)
    .replace(/^(\.{0,1}\/)+/, '')
    .normalize('NFC');
}

/**
 * Returns the paths that a reference in a document of an archive may mean (DSP0243 section 7.1, RFC 3986 section 4.1):
 * it is relative to the folder of the document, and many programs do not percent-encode names although they should.
 *
 * @param document the path of the document itself
 */
export function referredPaths(reference: string, document: string): string[] {
  const folder = posix.dirname(memberPath(document));
  const spellings = new Set([reference, percentDecoded(reference)]);
  return [...spellings].map((spelling) => memberPath(spelling.startsWith('/') ? spelling : `${folder}/${spelling}`));
}

/** Decodes a reference; text that is not valid encoded UTF-8 is returned as it is. */
function percentDecoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}
