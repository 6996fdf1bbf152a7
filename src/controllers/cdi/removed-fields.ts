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

/**
 * What is to be applied, without the maps that have been emptied: the API server makes null of a map whose last field
 * an apply takes away by naming the map without any, and then refuses that as no map.
 */
export function withoutEmptied<Wanted extends object>(recorded: unknown, wanted: Wanted): Wanted {
  const recordedFields = isMap(recorded) ? recorded : {};
  const kept = Object.entries(wanted).flatMap(([name, value]): [string, unknown][] => {
    const before = recordedFields[name];
    if (!isMap(value) || !isMap(before)) return [[name, value]];
    const left = withoutEmptied(before, value);
    const isEmptied = Object.keys(left).length === 0 && Object.keys(before).length > 0;
    return isEmptied ? [] : [[name, left]];
  });
  return Object.fromEntries(kept) as Wanted;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
