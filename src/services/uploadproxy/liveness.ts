/** Milliseconds between two looks. */
const LOOK_MILLISECONDS = 1_000;
/** Looks without a byte after which the other end is asked whether it is there. */
const QUIET_LOOKS = 3;
/** Failed questions in a row after which it is not. */
const FAILED_QUESTIONS = 2;

export interface Watched {
  /** Returns a number that grows as bytes move. */
  readonly moved: () => number;
  /** Whether it is the client that is waited for, rather than the server. */
  readonly awaitsClient: () => boolean;
  /** Asks whether the server is there, over another connection. */
  readonly isThere: (signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds that the client may be silent while it is waited for. */
  readonly clientPatience: number;
  readonly onServerGone: () => void;
  readonly onClientSilent: () => void;
}

/**
 * Looks after an upload until it is stopped. A server may rightly read nothing for long, while its volume writes; and
 * of a connection with data under way, the kernel reports only after a quarter of an hour that nobody is there any
 * more. So a server that does not read is asked over another connection, and is gone when it takes none.
 *
 * @returns a function that stops it
 */
export function watchOver(watched: Watched): () => void {
  const stopped = new AbortController();
  let moved = watched.moved();
  let quiet = 0;
  let failed = 0;
  let isAsking = false;
  const ask = async (): Promise<void> => {
    isAsking = true;
    const isThere = await watched.isThere(stopped.signal);
    isAsking = false;
    failed = isThere ? 0 : failed + 1;
    if (failed < FAILED_QUESTIONS || stopped.signal.aborted) return;
    stop();
    watched.onServerGone();
  };
  const look = (): void => {
    const now = watched.moved();
    quiet = now === moved ? quiet + 1 : 0;
    moved = now;
    if (quiet === 0) failed = 0;
    if (watched.awaitsClient()) {
      if (quiet * LOOK_MILLISECONDS < watched.clientPatience) return;
      stop();
      watched.onClientSilent();
    } else if (quiet >= QUIET_LOOKS && !isAsking) void ask();
  };
  const timer = setInterval(look, LOOK_MILLISECONDS);
  const stop = (): void => {
    clearInterval(timer);
    stopped.abort();
  };
  return stop;
}
