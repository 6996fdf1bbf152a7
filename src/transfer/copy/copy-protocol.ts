/**
 * The protocol of the two ends of a host-assisted copy, HTTP/1.1 over mutual TLS:
 *
 *     HEAD /v1beta1/copy            answers 200 once the target is ready: its volume mode, and what has arrived already
 *     GET  /v1beta1/copy/arrived    the files of a tree that have arrived already (arrived-files.ts)
 *     POST /v1beta1/copy            Upgrade: diskpress-copy; once that is accepted (101), the stream in pieces
 *                                   (piece-stream.ts) is the rest of the connection. To a server that does not offer
 *                                   it: Expect: 100-continue; the stream as a chunked body
 *
 * A client that reconnects asks first, which ends whatever is left of its previous stream, and leaves out what has
 * arrived. The server checks the offer before it requests the stream, so that a disk that does not fit is refused
 * before anything is copied. It answers 200 with a StreamDigest of what it received once all of it is durable, and
 * otherwise with a {@link CloneRefusal}; on an upgraded connection, that JSON is all that it sends. A stream without
 * its end record has not arrived.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import * as z from 'zod';
import { TransferError, type TransferErrorCode } from '../../base/errors.ts';

export const COPY_PATH = '/v1beta1/copy';
export const ARRIVED_PATH = `${COPY_PATH}/arrived`;

/** The protocol of an upgraded connection. Both ends can pass what it carries on without another copy of each part. */
export const STREAM_PROTOCOL = 'diskpress-copy';

const OFFERED_PROTOCOL_HEADER = 'x-diskpress-protocol';
const VOLUME_MODE_HEADER = 'x-diskpress-volume-mode';
const CONTENT_TYPE_HEADER = 'x-cdi-content-type';
const CONTENT_ID_HEADER = 'x-diskpress-content-id';
const HOLDS_BASE_HEADER = 'x-diskpress-holds-base';
const ALLOCATION_HEADER = 'x-diskpress-allocation';
const FROM_HEADER = 'x-diskpress-from';
const VIRTUAL_SIZE_HEADER = 'x-diskpress-virtual-size';
const BYTES_TOTAL_HEADER = 'x-diskpress-bytes-total';

/** The content id of a target of which the base is lost in parts, so that it is none any more. */
export const SPOILT_BASE = '0'.repeat(64);
/** The content id of a target of which the base is not what the driver of the source says. */
export const MISMATCHED_BASE = '1'.repeat(64);

const volumeMode = z.enum(['Filesystem', 'Block']);

const size = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
export const contentId = z.string().regex(/^[0-9a-f]{64}$/);

const arrived = z.object({
  /** Identifies the content that has arrived in part. */
  contentId,
  /** For a disk: how many bytes from its start are on the target. 0 for a tree. */
  from: size.default(0),
});
/** What is on a target already, and is kept when the same content is resumed. */
export type Arrived = z.infer<typeof arrived>;

const targetState = z.object({
  volumeMode,
  arrived: arrived.optional(),
  /** Whether the target holds an earlier state of the disk, of which only the changed parts have to be sent. */
  holdsBase: z.boolean().optional(),
  /** Whether the server takes a stream as the rest of a connection. */
  takesUpgrades: z.boolean().optional(),
});
export type TargetState = z.infer<typeof targetState>;

export function stateHeaders(state: TargetState): OutgoingHttpHeaders {
  return {
    [VOLUME_MODE_HEADER]: state.volumeMode,
    ...(state.takesUpgrades && { [OFFERED_PROTOCOL_HEADER]: STREAM_PROTOCOL }),
    ...(state.holdsBase && { [HOLDS_BASE_HEADER]: 'true' }),
    ...(state.arrived && {
      [CONTENT_ID_HEADER]: state.arrived.contentId,
      [FROM_HEADER]: state.arrived.from,
    }),
  };
}

/** @returns undefined where the response is not one of a copy server */
export function parseState(headers: IncomingHttpHeaders): TargetState | undefined {
  const id = headers[CONTENT_ID_HEADER];
  return targetState.safeParse({
    volumeMode: headers[VOLUME_MODE_HEADER],
    ...(headers[OFFERED_PROTOCOL_HEADER] === STREAM_PROTOCOL && { takesUpgrades: true }),
    ...(headers[HOLDS_BASE_HEADER] === 'true' && { holdsBase: true }),
    ...(id !== undefined && { arrived: { contentId: id, from: headers[FROM_HEADER] } }),
  }).data;
}

const cloneOffer = z
  .object({
    /** filesystem-clone is a tar archive of the volume's tree; blockdevice-clone is a disk without its zeros. */
    contentType: z.enum(['filesystem-clone', 'blockdevice-clone']),
    /** Identifies the content; stays the same as long as the content does. */
    contentId,
    /**
     * Set where only the missing part is sent: for a disk what follows this offset, for a tree the files that are
     * missing.
     */
    from: size.optional(),
    /** Size of the disk in bytes; missing where a tree holds no disk. */
    virtualSize: size.optional(),
    /** Bytes that have to be read, for progress. */
    bytesTotal: size.optional(),
    /**
     * Whether only what is allocated is read, as the driver of the disk says, or the driver was found to be wrong. The
     * server does not need to know; it passes that on.
     */
    allocation: z.enum(['used', 'wrong']).optional(),
  })
  .refine((offer) => offer.contentType === 'filesystem-clone' || offer.virtualSize !== undefined, {
    error: 'the size of the disk is missing',
  });
/** What a client wants to send. */
export type CloneOffer = z.infer<typeof cloneOffer>;

export function offerHeaders(offer: CloneOffer): OutgoingHttpHeaders {
  return {
    [CONTENT_TYPE_HEADER]: offer.contentType,
    [CONTENT_ID_HEADER]: offer.contentId,
    ...(offer.from !== undefined && { [FROM_HEADER]: offer.from }),
    ...(offer.virtualSize !== undefined && { [VIRTUAL_SIZE_HEADER]: offer.virtualSize }),
    ...(offer.bytesTotal !== undefined && { [BYTES_TOTAL_HEADER]: offer.bytesTotal }),
    ...(offer.allocation !== undefined && { [ALLOCATION_HEADER]: offer.allocation }),
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
    allocation: headers[ALLOCATION_HEADER],
  });
  if (parsed.success) return parsed.data;
  throw new TransferError(
    'ProtocolViolation',
    `the copy's headers are not understood: ${z.prettifyError(parsed.error)}`,
  );
}

export const streamDigest = z.object({ bytes: size, sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** Why a server did not accept a stream. */
export const cloneRefusal = z.object({
  code: z.string().transform((code) => code as TransferErrorCode),
  message: z.string(),
});
export type CloneRefusal = z.infer<typeof cloneRefusal>;
