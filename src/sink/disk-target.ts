import type { ExternallyWritten } from './externally-written.ts';
import type { UpdatableSink } from './updatable-sink.ts';

/** The target of an import, whichever way the image gets there. */
export type DiskTarget = UpdatableSink & ExternallyWritten;
