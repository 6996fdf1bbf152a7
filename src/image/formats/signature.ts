/** Bytes at a fixed place by which something is known. */
export interface Signature {
  readonly bytes: Buffer;
  /** In bytes, from the start. */
  readonly offset: number;
}

/** @param bytes one character each */
export function signature(bytes: string, offset = 0): Signature {
  return { bytes: Buffer.from(bytes, 'latin1'), offset };
}

export function isIn(head: Buffer, { bytes, offset }: Signature): boolean {
  return head.subarray(offset, offset + bytes.length).equals(bytes);
}
