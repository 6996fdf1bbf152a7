/** Whether a file begins as text does, in any encoding whose control characters are those of ASCII. */
export function isText(head: Buffer): boolean {
  return head.length > 0 && !/[^\t\n\r\f\x20-\x7e\x80-\xff]/.test(head.toString('latin1'));
}
