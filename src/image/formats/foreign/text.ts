/** Whether a file begins like text, in any encoding with the control characters of ASCII. */
export function isText(head: Buffer): boolean {
  return head.length > 0 && !/[^\t\n\r\f\x20-\x7e\x80-\xff]/.test(head.toString('latin1'));
}
