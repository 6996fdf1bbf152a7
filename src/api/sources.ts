import { blank } from './sources/blank.ts';
import type { SourceDeclaration } from './sources/common/declaration.ts';
import { file } from './sources/file.ts';
import { gcs } from './sources/gcs.ts';
import { http } from './sources/http.ts';
import { imageio } from './sources/imageio.ts';
import { pvc } from './sources/pvc.ts';
import { registry } from './sources/registry.ts';
import { s3 } from './sources/s3.ts';
import { snapshot } from './sources/snapshot.ts';
import { upload } from './sources/upload.ts';
import { vddk } from './sources/vddk.ts';

/** Every kind of source. Code that handles sources uses these declarations, and does not refer to kinds by name. */
export const sources = [http, s3, gcs, registry, pvc, snapshot, upload, blank, imageio, vddk, file] as const;

export type Source = (typeof sources)[number];
/** A source that an importer pod reads. */
export type Imported = Extract<Source, { population: 'import' }>;
/** How an importer pod is configured for a source. */
export type Importer = NonNullable<Imported['importer']>;

export const importedSources = sources.filter((source): source is Imported => source.population === 'import');

/** The source of an import that names none. */
export const sourceWhenNoneIsGiven: Imported = blank;
/** The source of a claim whose annotations give an endpoint, but no kind of source. */
export const sourceOfBareEndpoint: Imported = http;

/** Returns the source whose field is set; undefined if none is. */
export function givenSource<Kind extends SourceDeclaration>(
  kinds: readonly Kind[],
  source: Readonly<Partial<Record<Kind['name'], unknown>>>,
): Kind | undefined {
  return kinds.find(({ name }: { name: Kind['name'] }) => source[name] !== undefined);
}
