/**
 * The lines of a descriptor that say something (VMware's Virtual Disk Format 5.0, "The Descriptor File"), without what is
 * around them. Each pattern is for one line: one for all of them would look through the rest of the text from every line on.
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
