import type { Progress } from '../../base/progress.ts';
import type { Source } from '../../base/source.ts';

/** What goes for every source, from the options of the command. */
export interface SourceSettings {
  /** Files of PEM certificates, or folders of such, to trust besides the system's. */
  readonly certificatesDirectories?: readonly string[];
  /** Whether any certificate is accepted. */
  readonly insecureSkipVerify: boolean;
  readonly followsInternalRedirects: boolean;
  /** How many connections to use at most for one object. */
  readonly connections: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Header lines for the source's web server alone. */
  readonly secretHeaders: readonly string[];
  /** As image indexes spell it; this machine's own where it is undefined. */
  readonly architecture: string | undefined;
}

/** One kind of source as somebody names it on the command line. */
export interface GivenSource {
  /** As the help shows it. */
  readonly shown: string;
  /** Whether it can be read once only, so that one cannot look into it first. */
  readonly isStream?: boolean;
  matches(given: string): boolean;
  /** Which file of this machine it is, where it is one. */
  localPath?(given: string): string | undefined;
  /** Libraries that other sources do not need are loaded here and not before. */
  open(given: string, settings: SourceSettings, progress: Progress): Source | Promise<Source>;
}
