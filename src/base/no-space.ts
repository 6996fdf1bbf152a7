/** What programs print when a file system is full or a quota is exceeded. */
const FULL = /No space left|Disk quota exceeded/;

/** Whether a program reports that its target is full. */
export function saysNoSpace(complaints: string): boolean {
  return FULL.test(complaints);
}
