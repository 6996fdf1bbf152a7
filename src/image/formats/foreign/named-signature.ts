import { type Signature, signature } from '../signature.ts';

/** A signature of something that is not decoded here. */
export interface NamedSignature extends Signature {
  /** What it is, for people: "a ZIP archive". */
  readonly what: string;
}

/** @param bytes one character for each byte */
export function named(what: string, bytes: string, offset = 0): NamedSignature {
  return { what, ...signature(bytes, offset) };
}
