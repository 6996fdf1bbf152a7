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

/** Every kind of source. Whoever handles sources asks these declarations, and does not know them by name. */
export const sources = [http, s3, gcs, registry, pvc, snapshot, upload, blank, imageio, vddk, file] as const;

export type Source = (typeof sources)[number];
/** A source that an importer pod reads. */
export type Imported = Extract<Source, { population: 'import' }>;
/** How an importer pod is asked for a source. */
export type Importer = NonNullable<Imported['importer']>;

export const importedSources = sources.filter((source): source is Imported => source.population === 'import');

/** What an import without a source makes. */
export const sourceWhenNoneIsGiven: Imported = blank;
/** What a claim asks for whose annotations give an endpoint, and not of what. */
export const sourceOfBareEndpoint: Imported = http;

/** Which of the fields is set; undefined where none is. */
export function givenSource<Kind extends SourceDeclaration>(
  kinds: readonly Kind[],
  source: Readonly<Partial<Record<Kind['name'], unknown>>>,
): Kind | undefined {
  return kinds.find(({ name }: { name: Kind['name'] }) => source[name] !== undefined);
}
