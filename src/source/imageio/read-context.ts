import type { PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import type { TransferSession } from './transfer-session.ts';

/** What everything that reads of one disk shares. */
export interface ReadContext {
  session: TransferSession;
  progress: Progress;
  patience: PatienceOptions;
  signal: AbortSignal;
  /** Called whenever something has been read. */
  onRead: () => void;
}
