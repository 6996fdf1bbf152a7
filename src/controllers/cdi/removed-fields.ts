/**
 * Returns the JSON merge patch (RFC 7386) that removes what `recorded` has and `wanted` lacks, at any depth; undefined
 * where nothing has to be removed. The patch removes fields of every manager, whereas an apply would leave those of
 * others alone. Lists are values.
 */
export function removedFrom(recorded: unknown, wanted: unknown): Record<string, unknown> | undefined {
  const wantedFields = isMap(wanted) ? wanted : {};
  if (!isMap(recorded)) return undefined;
  const removed = Object.entries(recorded).flatMap(([name, value]): [string, unknown][] => {
    const kept = wantedFields[name];
    if (kept === undefined) return [[name, null]];
    const below = isMap(kept) ? removedFrom(value, kept) : undefined;
    return below ? [[name, below]] : [];
  });
  return removed.length > 0 ? Object.fromEntries(removed) : undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
