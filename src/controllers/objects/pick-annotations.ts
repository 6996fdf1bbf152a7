/** Returns those of an object's annotations that have one of these names. */
export function pickAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = annotations?.[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
