import { isDeepStrictEqual } from 'node:util';

/**
 * Returns the JSON merge patch (RFC 7396) that makes `wanted` of `recorded`, at any depth; undefined where they are the
 * same. The patch removes fields of every manager, whereas an apply would leave those of others alone; and the API
 * server refuses an apply that takes the last field of a map away, because it makes null of the map. Lists are values.
 * `undefined` states that the field must be absent.
 */
export function mergePatchBetween(recorded: unknown, wanted: object): Record<string, unknown> | undefined {
  const before = isMap(recorded) ? recorded : {};
  const after = wanted as Record<string, unknown>;
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...names].flatMap((name): [string, unknown][] => {
    const value = after[name];
    if (value === undefined) return before[name] === undefined ? [] : [[name, null]];
    if (!isMap(value)) return isDeepStrictEqual(value, before[name]) ? [] : [[name, value]];
    const below = mergePatchBetween(before[name], value);
    if (below) return [[name, below]];
    return isMap(before[name]) ? [] : [[name, {}]];
  });
  return changed.length > 0 ? Object.fromEntries(changed) : undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
