/**
 * Returns the significant lines of a descriptor (VMware's Virtual Disk Format 5.0, "The Descriptor File"), trimmed.
 * Patterns are matched line by line: one for the whole text would search the rest of it from every line.
 */
export function descriptorLines(bytes: Buffer): string[] {
  return bytes
    .toString('latin1')
    .split(/[\r\n]/)
    .flatMap((line) => {
      const trimmed = line.trim();
      return trimmed === '' ? [] : [trimmed];
    });
}
