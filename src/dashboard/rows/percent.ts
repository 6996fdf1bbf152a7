/** Returns the number of a progress such as `45.20%`, from 0 to 100; undefined where it is none. */
export function percentOf(progress: string | undefined): number | undefined {
  const [, number] = /^(\d{1,3}(?:\.\d+)?)%$/.exec(progress ?? '') ?? [];
  return number === undefined ? undefined : Math.min(100, Number(number));
}
