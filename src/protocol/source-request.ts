import * as z from 'zod';
import { type Imported, importedSources } from '../api/sources.ts';
import type { ImportedSource } from '../api/sources/common/declaration.ts';

type RequestOf<Kind> = Kind extends ImportedSource<string, z.ZodType, infer Request> ? Request : never;
type RequestSchemas = readonly [RequestOf<Imported>, ...RequestOf<Imported>[]];

const requests = importedSources.flatMap(({ importer }) => [...(importer?.requests ?? [])]);

/** The source in the request of an importer pod: one of the requests that the sources declare. */
export const sourceRequest = z.discriminatedUnion('type', requests as unknown as RequestSchemas);
export type SourceRequest = z.infer<typeof sourceRequest>;
/** The request for one type of source. */
export type SourceRequestOf<Type extends SourceRequest['type']> = Extract<SourceRequest, { type: Type }>;
