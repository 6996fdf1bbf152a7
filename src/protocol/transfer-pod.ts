import * as z from 'zod';
import { sourceRequest } from './source-request.ts';

/**
 * The contract between the controllers and the pods that move data for them. A pod gets one request as a JSON
 * environment variable, credentials and certificates as mounted files, and answers with one result document as its
 * termination message; while it runs it serves its progress over HTTP.
 */

/** Environment variable with the request of an importer pod, an {@link ImportRequest} as JSON. */
export const IMPORT_REQUEST_VARIABLE = 'DISKPRESS_IMPORT_REQUEST';
/** Environment variable with the request of a clone source pod, a {@link CloneSourceRequest} as JSON. */
export const CLONE_SOURCE_REQUEST_VARIABLE = 'DISKPRESS_CLONE_SOURCE_REQUEST';
/** Environment variable with the request of an upload server pod, an {@link UploadServerRequest} as JSON. */
export const UPLOAD_SERVER_REQUEST_VARIABLE = 'DISKPRESS_UPLOAD_SERVER_REQUEST';

/**
 * Where the source's Secret is mounted: `accessKeyId` and `secretKey`, for Google Cloud Storage `credentials.json`, for a
 * registry also `.dockerconfigjson`.
 */
export const CREDENTIALS_DIRECTORY = '/etc/diskpress/credentials';
/** Where a ConfigMap with PEM certificates under any key is mounted. */
export const CERTIFICATES_DIRECTORY = '/etc/diskpress/certificates';
/** Where a ConfigMap with PEM certificates for a proxy is mounted; the proxies themselves are in HTTP_PROXY and so on. */
export const PROXY_CERTIFICATES_DIRECTORY = '/etc/diskpress/proxy-certificates';
/** Where the Secrets of `secretExtraHeaders` are mounted, each in a folder named by its index. */
export const SECRET_HEADERS_DIRECTORY = '/etc/diskpress/secret-headers';
/** Where the mutual TLS material of one clone is mounted: `tls.crt`, `tls.key`, `ca.crt`. */
export const TRANSFER_TLS_DIRECTORY = '/etc/diskpress/tls';
/** Where a Filesystem volume to write or read is mounted. */
export const DATA_DIRECTORY = '/data';
/** The disk image on a Filesystem volume. */
export const DISK_IMAGE_PATH = '/data/disk.img';
/** Where a Block volume to write or read appears. */
export const BLOCK_DEVICE_PATH = '/dev/cdi-block-volume';
/** Where a scratch claim is mounted, in the pods that need one. */
export const SCRATCH_DIRECTORY = '/scratch';
/** Where a pulled image's container leaves the number of its process, in the pods that have one, in a file named `pid`. */
export const PULLED_IMAGE_DIRECTORY = '/pulled-image';
/** The files of the importer's image that can be imported; nothing is there but what an administrator has put into the image. */
export const SOURCE_FILES_DIRECTORY = '/var/lib/diskpress/sources';
/** A small writable folder (emptyDir) of every transfer pod, for sockets and the like. */
export const WORK_DIRECTORY = '/tmp';
/** Port that serves `GET /progress` (a {@link TransferProgress}), `GET /metrics` (Prometheus) and `GET /healthz`. */
export const PROGRESS_PORT = 8080;
/** Port on which an upload server takes a clone's stream, over mutual TLS. */
export const UPLOAD_SERVER_PORT = 8443;

const bytes = z.number().int().nonnegative();

export const transferTarget = z.strictObject({
  volumeMode: z.enum(['Filesystem', 'Block']),
  /** What the claim requests, in bytes. */
  capacity: bytes,
  /** The share of a Filesystem volume that a disk image may not use, 0 ≤ overhead < 1; 0 for Block. */
  filesystemOverhead: z.number().min(0).lt(1),
  preallocation: z.boolean(),
  contentType: z.enum(['kubevirt', 'archive']),
});
export type TransferTarget = z.infer<typeof transferTarget>;

/** An object that the pod mounts where it exists. */
export const importDependency = z.strictObject({
  kind: z.enum(['Secret', 'ConfigMap']),
  /** The pod's. */
  namespace: z.string(),
  name: z.string(),
  /** It must have all keys of one of these; any will do where there are none. */
  keys: z.array(z.array(z.string())),
  /** The folder that it is mounted at, which is empty while it does not exist. */
  path: z.string(),
});
export type ImportDependency = z.infer<typeof importDependency>;

export const importRequest = z.strictObject({
  source: sourceRequest,
  target: transferTarget,
  /** What must be mounted. Only the pod can tell, since the controllers cannot read users' Secrets and ConfigMaps. */
  dependencies: z.array(importDependency).default([]),
  /**
   * Whether servers may lead the importer further inside than they are: from public addresses to private ones, and from either to
   * loopback and link-local ones. CDIConfig's feature gate ImportFollowsInternalRedirects.
   */
  followsInternalRedirects: z.boolean().default(false),
  /** What the image is, where that is not to be told by its content. */
  format: z.literal('raw').optional(),
  /** Whether a scratch claim is mounted at SCRATCH_DIRECTORY. */
  scratch: z.boolean(),
  /** What an earlier importer told of itself in its progress, to go on from there. */
  checkpoint: z.string().optional(),
});
export type ImportRequest = z.infer<typeof importRequest>;

export const cloneSourceRequest = z.strictObject({
  volumeMode: z.enum(['Filesystem', 'Block']),
  contentType: z.enum(['kubevirt', 'archive']),
  /** Address or host name of the upload server; the port is UPLOAD_SERVER_PORT. */
  uploadServer: z.string(),
  /** The name in the upload server's certificate. */
  serverName: z.string(),
  /** Names the source's and the target's volumes: a copy is gone on with only where both are the same. */
  transfer: z.string(),
});
export type CloneSourceRequest = z.infer<typeof cloneSourceRequest>;

export const uploadServerRequest = z.strictObject({ target: transferTarget });
export type UploadServerRequest = z.infer<typeof uploadServerRequest>;

/** What a transfer pod serves at `GET /progress` while it runs. */
export const transferProgress = z.object({
  /** What it is doing now, for people: "connecting", "copying", "converting", "retrying in 4 s: connection refused". */
  stage: z.string(),
  /** Bytes that this pod has read from the source. */
  bytesRead: bytes,
  /** Bytes of the source that an earlier pod had brought to the target, so that they are not read again. */
  bytesSkipped: bytes.default(0),
  /** Bytes that will have been read or skipped in the end, where that is known. */
  bytesTotal: bytes.optional(),
  bytesWritten: bytes,
  bytesPerSecond: z.number().nonnegative(),
  /** 0–100, where it can be told. */
  percent: z.number().min(0).max(100).optional(),
  /** Until all is read, at the present rate. */
  secondsLeft: z.number().int().nonnegative().optional(),
  /** Passing failures so far. */
  retries: z.number().int().nonnegative(),
  /** Connections that bring bytes at the moment. */
  connections: z.number().int().nonnegative().default(0),
  /** The last passing failure, while it has not been overcome. */
  failure: z.string().optional(),
  /**
   * From where another pod can go on with the target, a text that only importers read. Only where it cannot be kept beside the
   * data, on a Block volume.
   */
  checkpoint: z.string().optional(),
});
export type TransferProgress = z.infer<typeof transferProgress>;

/** The termination message of a transfer pod, at most 4096 bytes of JSON. */
export const transferResult = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('succeeded'),
    bytesRead: bytes,
    bytesWritten: bytes,
    /** The disk's size in bytes as its guest sees it. */
    virtualSize: bytes.optional(),
    /** Bytes of the file or device that it has been given, which may be larger than that. */
    diskSize: bytes.optional(),
    /** raw, qcow2, … */
    format: z.string().optional(),
    preallocated: z.boolean().optional(),
    /** Labels for the target claim, from a registry image's environment. */
    labels: z.record(z.string(), z.string()).optional(),
  }),
  z.object({
    outcome: z.literal('failed'),
    /** A permanent failure is not retried: trying again cannot help until somebody changes something. */
    permanent: z.boolean(),
    /** A stable, CamelCase code: NotFound, Unauthorized, ChecksumMismatch, ImageTooLarge, … */
    code: z.string(),
    /** What failed, where, and what to do: one or two sentences, no secrets. */
    message: z.string(),
  }),
  z.object({ outcome: z.literal('scratch-required'), message: z.string() }),
]);
export type TransferResult = z.infer<typeof transferResult>;
