import type { DataVolumeSource, ImportSource } from '../../api/source-fields.ts';
import { givenSource, importedSources } from '../../api/sources.ts';
import type { ImportSettings, NeededObjects } from '../../api/sources/common/declaration.ts';
import { TransferError } from '../../base/errors.ts';
import type { SourceRequest, SourceRequestOf } from '../../protocol/source-request.ts';
import { importAnnotations } from '../import/importer/annotations.ts';
import { askedSource } from '../import/importer/asked-source.ts';

/** Requests for sources that have versions. */
export type AskedRequest = SourceRequestOf<'http' | 's3' | 'gcs' | 'registry'>;

/** What an image is asked for by, as an importer pod would read it. */
export interface AskedImage {
  readonly request: AskedRequest;
  readonly needed: NeededObjects;
}

const ARCHIVE_SCHEME = 'oci-archive:';
const asked: readonly SourceRequest['type'][] = ['http', 's3', 'gcs', 'registry'] satisfies AskedRequest['type'][];

/**
 * Returns how the versions of a source are asked for.
 *
 * @throws TransferError InvalidRequest where the source has none
 */
export function askedImage(source: DataVolumeSource, settings: ImportSettings): AskedImage {
  const kind = givenSource(importedSources, source);
  // An image that a node pulls is asked for as one that the importer pulls: with the credentials and certificates that
  // are given, and not with those of the node.
  const { registry } = source;
  const pulled: ImportSource = registry === undefined ? source : { registry: { ...registry, pullMethod: 'pod' } };
  const annotations = importAnnotations(pulled, { contentType: 'kubevirt', preallocation: false });
  const importer = askedSource(annotations);
  const request = importer.toRequest(annotations, settings);
  if ('refusal' in request) throw new TransferError('InvalidRequest', request.refusal);
  if (kind === undefined || !isAsked(request)) throw withoutVersions(kind?.name ?? Object.keys(source).join(', '));
  return { request: unarchived(request), needed: importer.neededObjects?.(annotations) ?? {} };
}

function isAsked(request: SourceRequest): request is AskedRequest {
  return asked.includes(request.type);
}

/** Returns the request for the file of an archive. */
function unarchived(request: AskedRequest): AskedRequest {
  if (request.type !== 'registry' || !request.url.startsWith(ARCHIVE_SCHEME)) return request;
  const url = request.url.slice(ARCHIVE_SCHEME.length);
  if (!/^https?:\/\//.test(url)) throw withoutVersions('file');
  return { type: 'http', url, extraHeaders: [], insecureSkipVerify: false };
}

function withoutVersions(name: string): TransferError {
  return new TransferError(
    'InvalidRequest',
    `a source ${name} has no versions that could be looked for: use one of ${asked.join(', ')}, or import it without a schedule`,
  );
}
