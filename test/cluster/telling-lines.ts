/** What Node writes around the message of an error that nothing caught. */
const NOISE = [/^\s+at .+[)\d](?: \{)?$/, /^Node\.js v\d/, /^\s*\^+$/];
/** What a line says that tells a failure. */
const FAILURE =
  /\b(error|fatal|panic|exception|fail(ed|ure)?|cannot|could not|refused|denied|not found|no such|unknown)\b/i;

/**
 * The lines of a log that may tell why its program failed: the last that are neither blank, nor the calls that led to
 * an error. Where none of these speaks of a failure, as where a program ends with the description of its options, the
 * last line that does comes before them.
 *
 * @param most how many, at least 2
 */
export function tellingLines(log: string, most: number): string[] {
  const lines = log
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !NOISE.some((noise) => noise.test(line)));
  const failure = lines.findLastIndex((line) => FAILURE.test(line));
  const isBefore = failure >= 0 && failure < lines.length - most;
  return isBefore ? [lines[failure] ?? '', '…', ...lines.slice(lines.length + 2 - most)] : lines.slice(-most);
}
