import { parseArgs } from 'node:util';

/** The flags of a role's command line, and the environment variables that they win over. */
const flags = {
  'log-level': 'LOG_LEVEL',
  'log-format': 'LOG_FORMAT',
  'tls-min-version': 'TLS_MIN_VERSION',
  'tls-cipher-suites': 'TLS_CIPHER_SUITES',
} as const;

/**
 * Takes the flags about the log and about TLS into the environment: `--log-level debug --log-format=json`. Others are
 * left alone.
 */
export function readRoleFlags(parameters: readonly string[], environment: NodeJS.ProcessEnv): void {
  const { values } = parseArgs({
    args: [...parameters],
    options: Object.fromEntries(Object.keys(flags).map((flag) => [flag, { type: 'string' }] as const)),
    strict: false,
    allowPositionals: true,
  });
  for (const [flag, variable] of Object.entries(flags)) {
    const value = values[flag];
    if (typeof value === 'string') environment[variable] = value;
  }
}
