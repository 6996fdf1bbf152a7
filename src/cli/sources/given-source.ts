import type { DiskSource } from '../../base/disk-source.ts';
import type { Progress } from '../../base/progress.ts';
import type { Source } from '../../base/source.ts';
import type { OpenTransfers } from '../../source/imageio/open-transfers.ts';

/** An image, or a disk that another system serves in ranges. */
export type GivenContent = Source | DiskSource;

/** Settings for every source, from the options of the command. */
export interface SourceSettings {
  /** Files of PEM certificates, or folders of them, that are trusted besides the system's. */
  readonly certificatesDirectories?: readonly string[];
  /** Whether any certificate is accepted. */
  readonly insecureSkipVerify: boolean;
  readonly followsInternalRedirects: boolean;
  /** Most connections for one object. */
  readonly connections: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Header lines that are sent to the web server of the source only. */
  readonly secretHeaders: readonly string[];
  /** Architecture as image indexes spell it; undefined for that of this machine. */
  readonly architecture: string | undefined;
  /** Where the transfer that is open at another system is kept. */
  readonly openTransfers: OpenTransfers;
}

/** One kind of source that can be named on the command line. */
export interface GivenSource {
  /** How the help shows it. */
  readonly shown: string;
  /** Whether it can be read only once, so that it cannot be inspected first. */
  readonly isStream?: boolean;
  matches(given: string): boolean;
  /** Returns the path on this machine, where the source is a local file. */
  localPath?(given: string): string | undefined;
  /** Opens the source. Libraries that other sources do not need are loaded here and not earlier. */
  open(given: string, settings: SourceSettings, progress: Progress): GivenContent | Promise<GivenContent>;
}
