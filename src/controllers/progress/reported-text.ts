/** Characters that could affect a terminal, or that reorder the displayed text. */
const CONTROLS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/**
 * Sanitises a text that a pod reports before it is passed on: it becomes one line without control characters, and is
 * truncated if it is too long.
 */
export function reportedText(text: string, longest: number): string {
  const printable = text.slice(0, 2 * longest).replace(CONTROLS, ' ');
  return printable.length <= longest ? printable : `${printable.slice(0, longest - 1)}…`;
}
