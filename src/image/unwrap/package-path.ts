import { posix } from 'node:path';

/** How a member of an archive is called, whichever of its spellings the archive has: ./a, /a, b/../a; composed or decomposed letters. */
export function memberPath(path: string): string {
  return posix
    .normalize(path)
    .replace(/^(\.{0,1}\/)+/, '')
    .normalize('NFC');
}

/**
 * What a document in an archive may mean by a reference (DSP0243 section 7.1, RFC 3986 section 4.1): it is relative to the document's
 * folder, and many programs write names as they are, where they should be percent-encoded.
 *
 * @param document the path of the document itself
 */
export function referredPaths(reference: string, document: string): string[] {
  const folder = posix.dirname(memberPath(document));
  const spellings = new Set([reference, percentDecoded(reference)]);
  return [...spellings].map((spelling) => memberPath(spelling.startsWith('/') ? spelling : `${folder}/${spelling}`));
}

/** What is no encoded UTF-8 is left as it is. */
function percentDecoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}
