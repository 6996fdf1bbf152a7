/** A version of an image at its source. */
export interface FoundVersion {
  /** `sha256:` and 64 hexadecimal digits: the digest of a manifest, or one made of the object's validators. */
  readonly digest: string;
  /** What the server identified the object by; undefined where nothing of that is asked for again. */
  readonly validators?: Readonly<Record<string, string>> | undefined;
}
