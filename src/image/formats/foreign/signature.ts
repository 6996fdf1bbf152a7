/** Bytes at a fixed place by which something is known. */
export interface Signature {
  /** What it is, for people: "a ZIP archive". */
  what: string;
  bytes: Buffer;
  /** In bytes, from the start; 0 where it is missing. */
  offset?: number;
}

/** @param bytes one character each */
export function signature(what: string, bytes: string, offset = 0): Signature {
  return { what, bytes: Buffer.from(bytes, 'latin1'), offset };
}

export function isIn(head: Buffer, { bytes, offset = 0 }: Signature): boolean {
  return head.subarray(offset, offset + bytes.length).equals(bytes);
}
