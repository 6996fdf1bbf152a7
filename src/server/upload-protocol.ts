/**
 * What the client of an upload, the upload proxy and the upload server say to each other over HTTP, besides the paths
 * of CDI's upload API.
 *
 * A client may send the whole image again at any time: what was received before is compared, but not written again. Or
 * it asks by HEAD how much of it that is, and sends the rest with Content-Range (RFC 9110 section 14.5).
 */

/** Of a request: the SHA-256 of its body in hexadecimal digits; of one part of a form, the SHA-256 of that part. */
export const SHA256_HEADER = 'x-diskpress-sha256';
/** Of the answer to HEAD: bytes, from the first one on, that the server does not need again. */
export const RECEIVED_HEADER = 'x-diskpress-received';
/**
 * Of a request with a Content-Range that does not start at 0: the digest of all bytes before it, in blocks, see {@link
 * import('./chained-hash.ts').ChainedHash}.
 */
export const PREFIX_SHA256_HEADER = 'x-diskpress-prefix-sha256';

const versions = ['v1beta1', 'v1alpha1'];

/**
 * The paths that take an image, without their version. `async` ones answer when everything was received and looked
 * at, and not only when it is in place; `form` ones take a multipart form with the image in the part `file`.
 */
export const uploadPaths = {
  upload: { async: false, form: false },
  'upload-async': { async: true, form: false },
  'upload-form': { async: false, form: true },
  'upload-form-async': { async: true, form: true },
  'upload-archive': { async: false, form: false },
  'upload-archive-async': { async: true, form: false },
} as const;
export type UploadPath = keyof typeof uploadPaths;

/** Returns the upload path that the path of a URL is, in any version; undefined for all others. */
export function uploadPathOf(path: string): UploadPath | undefined {
  const [, version = '', name = '', ...more] = path.split('/');
  if (more.length > 0 || !versions.includes(version)) return undefined;
  return Object.hasOwn(uploadPaths, name) ? (name as UploadPath) : undefined;
}
