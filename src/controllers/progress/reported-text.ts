/** What could do something to a terminal, or lets text appear in another order than it has. */
const CONTROLS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** A text that a pod tells, as it may be told on: on one line, without control characters, and cut where it is too long. */
export function reportedText(text: string, longest: number): string {
  const printable = text.slice(0, 2 * longest).replace(CONTROLS, ' ');
  return printable.length <= longest ? printable : `${printable.slice(0, longest - 1)}…`;
}
