/** Of an object's annotations, those of these names that it has. */
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
