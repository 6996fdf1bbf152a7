import type { ReceivedBytes } from './received-bytes.ts';

/** The connection that a body arrives over. */
export interface BodyStream {
  received: ReceivedBytes;
  /** How long it may stall, in milliseconds. */
  timeout: number;
  close(): void;
}
