/**
 * What the two ends of a host-assisted clone say to each other, over HTTP/1.1 with mutual TLS:
 *
 *     HEAD /v1beta1/upload            answers 200 once the target is ready: its volume mode, and what has arrived already
 *     GET  /v1beta1/upload/arrived    the files of a tree that have arrived already (arrived-files.ts)
 *     POST /v1beta1/upload            Expect: 100-continue; the stream in pieces (piece-stream.ts) as a chunked body
 *
 * A source that comes again asks first, which ends whatever is left of its last stream, and leaves out what has arrived.
 * The server looks at the offer before it asks for the stream, so that a disk that does not fit is refused before anything is
 * copied. It answers 200 with a StreamDigest of what it received once all of that is durable, and anything
 * else with a {@link CloneRefusal}. A stream without its end did not arrive.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import * as z from 'zod';
import { TransferError, type TransferErrorCode } from '../../base/errors.ts';

export const UPLOAD_PATH = '/v1beta1/upload';
export const ARRIVED_PATH = `${UPLOAD_PATH}/arrived`;

const VOLUME_MODE_HEADER = 'x-diskpress-volume-mode';
const CONTENT_TYPE_HEADER = 'x-cdi-content-type';
const CONTENT_ID_HEADER = 'x-diskpress-content-id';
const FROM_HEADER = 'x-diskpress-from';
const VIRTUAL_SIZE_HEADER = 'x-diskpress-virtual-size';
const BYTES_TOTAL_HEADER = 'x-diskpress-bytes-total';

const volumeMode = z.enum(['Filesystem', 'Block']);
export type VolumeMode = z.infer<typeof volumeMode>;

const size = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
export const contentId = z.string().regex(/^[0-9a-f]{64}$/);

const arrived = z.object({
  /** Of what it is. */
  contentId,
  /** A disk's bytes that are on the target, from its start; 0 for a tree. */
  from: size.default(0),
});
/** What is on a target already, and stays when the same content goes on from there. */
export type Arrived = z.infer<typeof arrived>;

const targetState = z.object({ volumeMode, arrived: arrived.optional() });
export type TargetState = z.infer<typeof targetState>;

export function stateHeaders(state: TargetState): OutgoingHttpHeaders {
  return {
    [VOLUME_MODE_HEADER]: state.volumeMode,
    ...(state.arrived && {
      [CONTENT_ID_HEADER]: state.arrived.contentId,
      [FROM_HEADER]: state.arrived.from,
    }),
  };
}

/** @returns undefined where the answer is not one of an upload server */
export function parseState(headers: IncomingHttpHeaders): TargetState | undefined {
  const id = headers[CONTENT_ID_HEADER];
  return targetState.safeParse({
    volumeMode: headers[VOLUME_MODE_HEADER],
    ...(id !== undefined && { arrived: { contentId: id, from: headers[FROM_HEADER] } }),
  }).data;
}

const cloneOffer = z
  .object({
    /** filesystem-clone is a tar archive of the volume's tree; blockdevice-clone a disk without its zeros. */
    contentType: z.enum(['filesystem-clone', 'blockdevice-clone']),
    /** The same for as long as what is sent stays the same. */
    contentId,
    /** Whether only what has not arrived yet is sent: of a disk what lies behind here, of a tree the files that are missing. */
    from: size.optional(),
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
    [CONTENT_ID_HEADER]: offer.contentId,
    ...(offer.from !== undefined && { [FROM_HEADER]: offer.from }),
    ...(offer.virtualSize !== undefined && { [VIRTUAL_SIZE_HEADER]: offer.virtualSize }),
    ...(offer.bytesTotal !== undefined && { [BYTES_TOTAL_HEADER]: offer.bytesTotal }),
  };
}

/** @throws TransferError ProtocolViolation */
export function parseOffer(headers: IncomingHttpHeaders): CloneOffer {
  const parsed = cloneOffer.safeParse({
    contentType: headers[CONTENT_TYPE_HEADER],
    contentId: headers[CONTENT_ID_HEADER],
    from: headers[FROM_HEADER],
    virtualSize: headers[VIRTUAL_SIZE_HEADER],
    bytesTotal: headers[BYTES_TOTAL_HEADER],
  });
  if (parsed.success) return parsed.data;
  throw new TransferError(
    'ProtocolViolation',
    `the upload's headers are not understood: ${z.prettifyError(parsed.error)}`,
  );
}

export const streamDigest = z.object({ bytes: size, sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** Why a server did not take a stream. */
export const cloneRefusal = z.object({
  code: z.string().transform((code) => code as TransferErrorCode),
  message: z.string(),
});
export type CloneRefusal = z.infer<typeof cloneRefusal>;
