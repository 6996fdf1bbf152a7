import type { ExternallyWritten } from './externally-written.ts';
import type { ResumableSink } from './resumable-sink.ts';

/** The target of an import, whichever way the image gets there. */
export type DiskTarget = ResumableSink & ExternallyWritten;
