/**
 * Longest header fields of a response, names and values together, in bytes. Cookies and policies make some heads longer
 * than 16 KiB; other clients accept 300 KiB and more, which no server sends deliberately.
 */
export const LONGEST_FIELDS = 64 * 1024;
