/** What Node writes around the message of an error that nothing caught. */
const NOISE = [/^\s+at .+[)\d](?: \{)?$/, /^Node\.js v\d/, /^\s*\^+$/];

/** The last lines of a log that may tell why its program failed: neither blank, nor the calls that led to an error. */
export function tellingLines(log: string, most: number): string[] {
  return log
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !NOISE.some((noise) => noise.test(line)))
    .slice(-most);
}
