/** What programs say where a file system is full, or somebody's part of it. */
const FULL = /No space left|Disk quota exceeded/;

/** Whether a program complains that its target is full. */
export function saysNoSpace(complaints: string): boolean {
  return FULL.test(complaints);
}
