import * as z from 'zod';
import { sourceRequest } from './source-request.ts';

/**
 * The contract between the controllers and the pods that move data for them. A pod gets one request as a JSON
 * environment variable, and credentials and certificates as mounted files. It serves its progress over HTTP while it
 * runs, and its termination message is one result document.
 *
 * During an upgrade the two are of different versions. Fields may be added, and have to be optional for whoever reads
 * them; test/unit/protocol/recorded has what earlier versions wrote. A pod refuses a request with fields that it does
 * not know, as passing, because it cannot tell what they ask for. The controllers ignore such fields of progress and
 * results.
 */

/** Environment variable with the request of an importer pod, an {@link ImportRequest} as JSON. */
export const IMPORT_REQUEST_VARIABLE = 'DISKPRESS_IMPORT_REQUEST';
/** Environment variable with the request of a copy client pod, a {@link CopySourceRequest} as JSON. */
export const COPY_SOURCE_REQUEST_VARIABLE = 'DISKPRESS_COPY_SOURCE_REQUEST';
/** Environment variable with the request of a copy server pod, a {@link CopyTargetRequest} as JSON. */
export const COPY_TARGET_REQUEST_VARIABLE = 'DISKPRESS_COPY_TARGET_REQUEST';
/** Environment variable with the request of a pod with both volumes of a copy, a {@link CopyVolumeRequest} as JSON. */
export const COPY_VOLUME_REQUEST_VARIABLE = 'DISKPRESS_COPY_VOLUME_REQUEST';
/** Environment variable with the request of an upload server pod, an {@link UploadRequest} as JSON. */
export const UPLOAD_REQUEST_VARIABLE = 'DISKPRESS_UPLOAD_REQUEST';
/**
 * Environment variable with the UID of the object that the transfer is for, which labels its metrics, and by which a
 * copy knows its own checkpoint.
 */
export const OWNER_UID_VARIABLE = 'OWNER_UID';

/**
 * Where the Secret of the source is mounted: `accessKeyId` and `secretKey`; for Google Cloud Storage
 * `credentials.json`, and for a registry also `.dockerconfigjson`.
 */
export const CREDENTIALS_DIRECTORY = '/etc/diskpress/credentials';
/** Where a ConfigMap with PEM certificates under any key is mounted. */
export const CERTIFICATES_DIRECTORY = '/etc/diskpress/certificates';
/**
 * Where a ConfigMap with PEM certificates for a proxy is mounted; the proxies themselves are in HTTP_PROXY and the
 * related variables.
 */
export const PROXY_CERTIFICATES_DIRECTORY = '/etc/diskpress/proxy-certificates';
/** Where the Secrets of `secretExtraHeaders` are mounted, each in a folder named by its index. */
export const SECRET_HEADERS_DIRECTORY = '/etc/diskpress/secret-headers';
/** Where the mutual TLS material of one clone or upload is mounted: `tls.crt`, `tls.key`, `ca.crt`. */
export const TRANSFER_TLS_DIRECTORY = '/etc/diskpress/tls';
/**
 * The file beside them, or alone, for a pod that reads the source of a copy, with the ranges in which its disk differs
 * from what the target holds (block-ranges.ts).
 */
export const CHANGED_RANGES_FILE = 'changed-ranges';
/** The same for the ranges that are allocated on its disk (block-ranges.ts). */
export const ALLOCATED_RANGES_FILE = 'allocated-ranges';
/** Where a Filesystem volume is mounted, for writing or reading. */
export const DATA_DIRECTORY = '/data';
/** The disk image on a Filesystem volume. */
export const DISK_IMAGE_PATH = '/data/disk.img';
/** Where a Block volume appears, for writing or reading. */
export const BLOCK_DEVICE_PATH = '/dev/cdi-block-volume';
/** Where a Filesystem volume is mounted that is read by a pod that writes another one. */
export const SOURCE_DATA_DIRECTORY = '/source';
/** Where a Block volume appears that is read by a pod that writes another one. */
export const SOURCE_BLOCK_DEVICE_PATH = '/dev/cdi-source-volume';
/** Where a scratch claim is mounted, in the pods that need one. */
export const SCRATCH_DIRECTORY = '/scratch';
/** Where the container of a pulled image writes its process id, in a file named `pid`, in the pods that have one. */
export const PULLED_IMAGE_DIRECTORY = '/pulled-image';
/**
 * Where files in the importer's image can be imported from; it has only what an administrator has put into the image.
 */
export const SOURCE_FILES_DIRECTORY = '/var/lib/diskpress/sources';
/** Where a ConfigMap with options of the VDDK library is mounted. */
export const VDDK_OPTIONS_DIRECTORY = '/vddk-args';
/** A small writable folder (emptyDir) of every transfer pod, for sockets and the like. */
export const WORK_DIRECTORY = '/tmp';
/** Port that serves `GET /progress` (a {@link TransferProgress}), `GET /metrics` (Prometheus) and `GET /healthz`. */
export const PROGRESS_PORT = 8080;
/** Port on which a copy server receives the stream of a clone, and an upload server uploads, over mutual TLS. */
export const COPY_PORT = 8443;

const bytes = z.number().int().nonnegative();

export const transferTarget = z.strictObject({
  volumeMode: z.enum(['Filesystem', 'Block']),
  /** Size that the claim requests, in bytes. */
  capacity: bytes,
  /** The share of a Filesystem volume that a disk image may not use, 0 ≤ overhead < 1; 0 for Block. */
  filesystemOverhead: z.number().min(0).lt(1),
  preallocation: z.boolean(),
  contentType: z.enum(['kubevirt', 'archive']),
});
export type TransferTarget = z.infer<typeof transferTarget>;

/** An object that the pod mounts if it exists. */
export const importDependency = z.strictObject({
  kind: z.enum(['Secret', 'ConfigMap']),
  /** Namespace of the pod. */
  namespace: z.string(),
  name: z.string(),
  /** Sets of keys: the object needs all keys of one of the sets; where there are none, any content will do. */
  keys: z.array(z.array(z.string())),
  /** The folder where it is mounted, which is empty while the object does not exist. */
  path: z.string(),
});
export type ImportDependency = z.infer<typeof importDependency>;

/** A stage of a multi-stage import: it brings the target from one snapshot of a disk to a later one. */
export const importStage = z.strictObject({
  /** Snapshot, or change id, that the target holds; empty for the first stage, which copies everything. */
  previous: z.string(),
  /** Snapshot that the target holds afterwards. */
  current: z.string(),
  /** Whether no stage follows, so that the disk gets its final size. */
  isFinal: z.boolean(),
});
export type ImportStage = z.infer<typeof importStage>;

export const importRequest = z.strictObject({
  source: sourceRequest,
  target: transferTarget,
  /**
   * Objects that must be mounted. Only the pod can check, because the controllers cannot read Secrets and ConfigMaps of
   * users.
   */
  dependencies: z.array(importDependency).default([]),
  /**
   * Whether redirects may lead to more internal addresses: from public addresses to private ones, and from either to
   * loopback and link-local ones. Set by the feature gate ImportFollowsInternalRedirects of CDIConfig.
   */
  followsInternalRedirects: z.boolean().default(false),
  /** Format of the image, where its content does not show it. */
  format: z.literal('raw').optional(),
  /** Whether a scratch claim is mounted at SCRATCH_DIRECTORY. */
  scratch: z.boolean(),
  /** The checkpoint that an earlier importer reported in its progress, to resume from. */
  checkpoint: z.string().optional(),
  /** The transfer that an earlier importer reported in its progress as open at another system, to be ended there. */
  openTransfer: z.string().optional(),
  /** The stage of a multi-stage import; none where the whole source is imported at once. */
  stage: importStage.optional(),
});
export type ImportRequest = z.infer<typeof importRequest>;

export const copySourceRequest = z.strictObject({
  volumeMode: z.enum(['Filesystem', 'Block']),
  contentType: z.enum(['kubevirt', 'archive']),
  /** Address or host name of the copy server; the port is COPY_PORT. */
  server: z.string(),
  /** The name in the certificate of the copy server. */
  serverName: z.string(),
  /** Identifies the volumes of the source and the target: a copy is resumed only where both are the same. */
  transfer: z.string(),
});
export type CopySourceRequest = z.infer<typeof copySourceRequest>;

export const copyTargetRequest = z.strictObject({
  target: transferTarget,
  /** Whether the Block volume holds an earlier copy of the source, of which parts may stay. */
  holdsBase: z.boolean().optional(),
});
export type CopyTargetRequest = z.infer<typeof copyTargetRequest>;

export const copyVolumeRequest = z.strictObject({
  sourceVolumeMode: z.enum(['Filesystem', 'Block']),
  ...copyTargetRequest.shape,
  /** Identifies the volumes of the source and the target, as in the request of a copy client. */
  transfer: z.string(),
});
export type CopyVolumeRequest = z.infer<typeof copyVolumeRequest>;

export const uploadRequest = z.strictObject({
  target: transferTarget,
  /** Whether a scratch claim is mounted at SCRATCH_DIRECTORY. */
  scratch: z.boolean(),
  /** The checkpoint that an earlier upload server reported in its progress, to resume from. */
  checkpoint: z.string().optional(),
});
export type UploadRequest = z.infer<typeof uploadRequest>;

/** What a transfer pod serves at `GET /progress` while it runs. */
export const transferProgress = z.object({
  /** The current stage, for people: "connecting", "copying", "converting", "retrying in 4 s: connection refused". */
  stage: z.string(),
  /** Bytes that this pod has read from the source. */
  bytesRead: bytes,
  /** Bytes of the source that are not read again, because an earlier pod had already written them to the target. */
  bytesSkipped: bytes.default(0),
  /** Bytes that will have been read or skipped at the end, where that is known. */
  bytesTotal: bytes.optional(),
  bytesWritten: bytes,
  bytesPerSecond: z.number().nonnegative(),
  /** Progress from 0 to 100, where known. */
  percent: z.number().min(0).max(100).optional(),
  /** Seconds until everything is read, at the present rate. */
  secondsLeft: z.number().int().nonnegative().optional(),
  /** Number of passing failures so far. */
  retries: z.number().int().nonnegative(),
  /** Connections that deliver bytes at the moment. */
  connections: z.number().int().nonnegative().default(0),
  /** The last passing failure, until it has been overcome. */
  failure: z.string().optional(),
  /**
   * What another pod needs to resume the target, as text that only importers interpret. Only for Block volumes, where
   * it cannot be stored beside the data.
   */
  checkpoint: z.string().optional(),
  /**
   * Identifier of the transfer that is open at another system, such as an oVirt engine, which another pod has to end
   * where this one is killed. It is no secret.
   */
  openTransfer: z.string().optional(),
});
export type TransferProgress = z.infer<typeof transferProgress>;

/** The termination message of a transfer pod, at most 4096 bytes of JSON. */
export const transferResult = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('succeeded'),
    bytesRead: bytes,
    bytesWritten: bytes,
    /** Size of the disk as the guest sees it, in bytes. */
    virtualSize: bytes.optional(),
    /** Bytes of the file or device that holds the disk, which may be larger. */
    diskSize: bytes.optional(),
    /** Format of the image: raw, qcow2, … */
    format: z.string().optional(),
    preallocated: z.boolean().optional(),
    /** Of a copy onto an earlier copy of the same disk: bytes that were there already and have not been sent. */
    unchangedBytes: bytes.optional(),
    /**
     * Of a copy whose client was told what is allocated: whether it has read only that. Also whether that, or what it
     * was told has changed, was found to be wrong.
     */
    allocation: z.enum(['used', 'wrong']).optional(),
    /** Labels for the target claim, from a registry image's environment. */
    labels: z.record(z.string(), z.string()).optional(),
    /** Of a disk of VMware: the version of the library that has read it, and the host that has served it. */
    vddk: z.object({ version: z.string().optional(), host: z.string().optional() }).optional(),
  }),
  z.object({
    outcome: z.literal('failed'),
    /** A permanent failure is not retried: that cannot help until somebody changes something. */
    permanent: z.boolean(),
    /** A stable, CamelCase code: NotFound, Unauthorized, ChecksumMismatch, ImageTooLarge, … */
    code: z.string(),
    /** What failed, where, and what to do: one or two sentences without secrets. */
    message: z.string(),
  }),
  z.object({ outcome: z.literal('scratch-required'), message: z.string() }),
]);
export type TransferResult = z.infer<typeof transferResult>;
