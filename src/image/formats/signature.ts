/** Bytes at a fixed offset that identify a format. */
export interface Signature {
  readonly bytes: Buffer;
  /** Offset in bytes from the start. */
  readonly offset: number;
}

/** @param bytes one character for each byte */
export function signature(bytes: string, offset = 0): Signature {
  return { bytes: Buffer.from(bytes, 'latin1'), offset };
}

export function isIn(head: Buffer, { bytes, offset }: Signature): boolean {
  return head.subarray(offset, offset + bytes.length).equals(bytes);
}
