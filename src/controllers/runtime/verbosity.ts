import type { LogLevel } from '../../base/logger.ts';

/** The lowest verbosity of each level that says more than the usual one, as other programs of Kubernetes count. */
const VERBOSE = 3;
const DEBUG = 5;

/** Returns the level of a log for config.logVerbosity of the CDI object, or for a flag `v`. */
export function logLevelOf(verbosity: number): LogLevel {
  if (verbosity >= DEBUG) return 'debug';
  return verbosity >= VERBOSE ? 'verbose' : 'info';
}
