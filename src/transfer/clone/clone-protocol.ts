/**
 * What the two ends of a host-assisted clone say to each other, over HTTP/1.1 with mutual TLS:
 *
 *     HEAD /v1beta1/upload    answers 200 once the target is ready, and tells its volume mode
 *     POST /v1beta1/upload    Expect: 100-continue; the stream as a chunked body, its digest as trailers
 *
 * The server looks at the offer before it asks for the stream, so that a disk that does not fit is refused before anything is
 * copied. It answers 200 with a {@link StreamDigest} of what it received once all of that is durable, and anything
 * else with a {@link CloneRefusal}. A stream without its trailers did not arrive.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { TransferError, type TransferErrorCode } from '../errors.ts';
import type { StreamDigest } from './stream-digest.ts';

export const UPLOAD_PATH = '/v1beta1/upload';

export const VOLUME_MODE_HEADER = 'x-diskpress-volume-mode';
const CONTENT_TYPE_HEADER = 'x-cdi-content-type';
const VIRTUAL_SIZE_HEADER = 'x-diskpress-virtual-size';
const BYTES_TOTAL_HEADER = 'x-diskpress-bytes-total';
const STREAM_BYTES_TRAILER = 'x-diskpress-stream-bytes';
const STREAM_SHA256_TRAILER = 'x-diskpress-stream-sha256';

export const volumeMode = z.enum(['Filesystem', 'Block']);
export type VolumeMode = z.infer<typeof volumeMode>;

const size = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

const cloneOffer = z
  .object({
    /** filesystem-clone is a tar archive of the volume's tree; blockdevice-clone a disk without its zeros. */
    contentType: z.enum(['filesystem-clone', 'blockdevice-clone']),
    /** The disk's size in bytes; missing where a tree holds no disk. */
    virtualSize: size.optional(),
    /** Bytes that there are to read, for progress. */
    bytesTotal: size.optional(),
  })
  .refine((offer) => offer.contentType === 'filesystem-clone' || offer.virtualSize !== undefined, {
    error: 'the size of the disk is missing',
  });
/** What a source wants to send. */
export type CloneOffer = z.infer<typeof cloneOffer>;

export function offerHeaders(offer: CloneOffer): OutgoingHttpHeaders {
  return {
    [CONTENT_TYPE_HEADER]: offer.contentType,
    ...(offer.virtualSize !== undefined && { [VIRTUAL_SIZE_HEADER]: offer.virtualSize }),
    ...(offer.bytesTotal !== undefined && { [BYTES_TOTAL_HEADER]: offer.bytesTotal }),
  };
}

/** @throws TransferError ProtocolViolation */
export function parseOffer(headers: IncomingHttpHeaders): CloneOffer {
  const parsed = cloneOffer.safeParse({
    contentType: headers[CONTENT_TYPE_HEADER],
    virtualSize: headers[VIRTUAL_SIZE_HEADER],
    bytesTotal: headers[BYTES_TOTAL_HEADER],
  });
  if (parsed.success) return parsed.data;
  throw new TransferError(
    'ProtocolViolation',
    `the upload's headers are not understood: ${z.prettifyError(parsed.error)}`,
  );
}

/** Names the trailers, for the Trailer header. */
export const DIGEST_TRAILERS = `${STREAM_BYTES_TRAILER}, ${STREAM_SHA256_TRAILER}`;

export function digestTrailers(digest: StreamDigest): Record<string, string> {
  return { [STREAM_BYTES_TRAILER]: String(digest.bytes), [STREAM_SHA256_TRAILER]: digest.sha256 };
}

export const streamDigest = z.object({ bytes: size, sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** @throws TransferError StreamCorrupted */
export function parseDigestTrailers(trailers: NodeJS.Dict<string>): StreamDigest {
  const parsed = streamDigest.safeParse({
    bytes: trailers[STREAM_BYTES_TRAILER],
    sha256: trailers[STREAM_SHA256_TRAILER],
  });
  if (parsed.success) return parsed.data;
  throw new TransferError('StreamCorrupted', 'the stream ended without the digest of what was sent');
}

/** Why a server did not take a stream. */
export const cloneRefusal = z.object({
  code: z.string().transform((code) => code as TransferErrorCode),
  message: z.string(),
});
export type CloneRefusal = z.infer<typeof cloneRefusal>;
