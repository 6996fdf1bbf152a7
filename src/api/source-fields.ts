import * as z from 'zod';
import { constrained, type Constraint, exactlyOneOf } from './constraint.ts';
import { importedSources, sources } from './sources.ts';
import type { SourceDeclaration } from './sources/common/declaration.ts';
import type { ContentType } from './transfer-options.ts';

/** Hint for `blank:` without a value, which is null and is dropped before the rules are evaluated. */
const WRITTEN_EMPTY = ' (an empty field is written as {}, such as blank: {})';

/** Source of a DataVolume's data: exactly one of its fields is set. */
export const dataVolumeSource = constrained(z.strictObject(fieldsOf(sources)), [
  exactlyOneOf('source', namesOf(sources), WRITTEN_EMPTY),
]);
export type DataVolumeSource = z.infer<typeof dataVolumeSource>;

/** Source of an import's data: exactly one of its fields is set. */
export const importSource = constrained(z.strictObject(fieldsOf(importedSources)), [
  exactlyOneOf('source', namesOf(importedSources), WRITTEN_EMPTY),
]);
export type ImportSource = z.infer<typeof importSource>;

/** Returns the CEL expression for whether `self.source` has a source with this kind of population. */
export const populationRule = (population: SourceDeclaration['population']): string =>
  sources
    .filter((source) => source.population === population)
    .map(({ name }) => `has(self.source.${name})`)
    .join(' || ');

/**
 * Returns the rules of a spec that reject an archive from a source that cannot have one.
 *
 * @param path of the source, for people
 */
export function archiveRules(
  path: string,
): Constraint<{ contentType?: ContentType | undefined; source?: DataVolumeSource | undefined }>[] {
  return importedSources.flatMap(({ name, noArchive }) =>
    noArchive === undefined
      ? []
      : {
          rule: `!(has(self.contentType) && self.contentType == 'archive' && has(self.source) && has(self.source.${name}))`,
          message: `${path}.${name} ${noArchive}, and cannot have contentType archive`,
          check: ({ contentType, source }) => contentType !== 'archive' || source?.[name] === undefined,
        },
  );
}

type Fields<Kind extends SourceDeclaration> = {
  [Each in Kind as Each['name']]: z.ZodOptional<ReturnType<Each['schema']>>;
};

function fieldsOf<Kind extends SourceDeclaration>(kinds: readonly Kind[]): Fields<Kind> {
  return Object.fromEntries(kinds.map(({ name, schema }) => [name, schema().optional()])) as unknown as Fields<Kind>;
}

function namesOf<Kind extends SourceDeclaration>(kinds: readonly Kind[]): Kind['name'][] {
  return kinds.map(({ name }) => name);
}
