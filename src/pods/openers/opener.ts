import type { Checksum } from '../../base/checksum.ts';
import type { DiskSource } from '../../base/disk-source.ts';
import type { PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import type { Source } from '../../base/source.ts';
import type { SourceRequest, SourceRequestOf } from '../../protocol/source-request.ts';
import type { ImportStage } from '../../protocol/transfer-pod.ts';
import type { ReportedRecord } from '../reported-record.ts';

/** Where the files that a source needs are mounted in an importer pod. */
export interface SourceMounts {
  credentials: string;
  certificates: string;
  /** Certificates of the authority of a proxy. */
  proxyCertificates: string;
  secretHeaders: string;
  pulledImage: string;
  /** The folder of the VDDK library. */
  vddkLibrary: string;
  /** Options of the VDDK library. */
  vddkOptions: string;
  /** The plugin of nbdkit for VDDK. */
  vddkPlugin: string;
  /** The only folder that files can be imported from. */
  sourceFiles: string;
}

/** What an opener gets besides the request. */
export interface Opening {
  readonly mounts: SourceMounts;
  /** Whether redirects to more internal addresses are followed. */
  readonly followsInternalRedirects: boolean;
  readonly patience: PatienceOptions | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** The stage of a multi-stage import; undefined where the whole disk is imported at once. */
  readonly stage: ImportStage | undefined;
  /** Where the transfer that is open at another system is kept for the next pod, which ends it after a kill. */
  readonly openTransfers: ReportedRecord;
}

/** A source that is read as a stream, or as a file with ranges. */
export interface ReadableSource {
  readonly source: Source;
  /** The checksum that the bytes of the source must have. */
  readonly checksum?: Checksum | undefined;
}

/** A disk that another system serves in ranges. */
export interface ReadableDisk {
  readonly disk: DiskSource;
  /** Tells which library of VMware reads it, and from which host. */
  vddk?(this: void): { readonly version?: string; readonly host?: string };
}

/** How the importer reads one kind of source. */
export interface SourceOpener<Request = SourceRequest> {
  /**
   * Creates the source of a request, with the credentials and certificates that are mounted for it. Libraries that
   * other sources do not need are loaded here and not earlier, so that an importer does not wait for them.
   *
   * @returns undefined where there is nothing to read, and the disk is blank
   * @throws TransferError
   */
  open(request: Request, opening: Opening): Promise<ReadableSource | ReadableDisk | undefined>;
}

/** The opener of one type of source. */
export type OpenerOf<Type extends SourceRequest['type']> = SourceOpener<SourceRequestOf<Type>>;
