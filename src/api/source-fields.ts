import * as z from 'zod';
import { constrained, exactlyOneOf, type Constraint } from './constraint.ts';
import { importedSources, sources } from './sources.ts';
import type { SourceDeclaration } from './sources/common/declaration.ts';
import type { ContentType } from './transfer-options.ts';

/** `blank:` without a value is null, which is dropped before the rules are looked at. */
const WRITTEN_EMPTY = ' (an empty field is written as {}, such as blank: {})';

/** Where a DataVolume's data comes from: exactly one of its fields is set. */
export const dataVolumeSource = constrained(z.strictObject(fieldsOf(sources)), [
  exactlyOneOf('source', namesOf(sources), WRITTEN_EMPTY),
]);
export type DataVolumeSource = z.infer<typeof dataVolumeSource>;

/** Where an import's data comes from: exactly one of its fields is set. */
export const importSource = constrained(z.strictObject(fieldsOf(importedSources)), [
  exactlyOneOf('source', namesOf(importedSources), WRITTEN_EMPTY),
]);
export type ImportSource = z.infer<typeof importSource>;

/** CEL: whether `self.source` has a source that is populated so. */
export const populationRule = (population: SourceDeclaration['population']): string =>
  sources
    .filter((source) => source.population === population)
    .map(({ name }) => `has(self.source.${name})`)
    .join(' || ');

/**
 * The rules of a spec by which a source that cannot hold an archive is not asked for one.
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
