/**
 * What the names and values of an answer's header fields may have together, in bytes. Cookies and policies make some heads longer than
 * 16 KiB; other clients take 300 KiB and more, which nobody sends on purpose.
 */
export const LONGEST_FIELDS = 64 * 1024;
