import { signature, type Signature } from '../signature.ts';

/** A signature of something that nothing here decodes. */
export interface NamedSignature extends Signature {
  /** What it is, for people: "a ZIP archive". */
  readonly what: string;
}

/** @param bytes one character each */
export function named(what: string, bytes: string, offset = 0): NamedSignature {
  return { what, ...signature(bytes, offset) };
}
