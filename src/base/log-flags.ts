import { parseArgs } from 'node:util';

/** The flags of a role's command line, and the environment variables that they win over. */
const flags = { 'log-level': 'LOG_LEVEL', 'log-format': 'LOG_FORMAT' } as const;

/** Takes the flags about the log into the environment: `--log-level debug --log-format=json`. Others are left alone. */
export function readLogFlags(parameters: readonly string[], environment: NodeJS.ProcessEnv): void {
  const { values } = parseArgs({
    args: [...parameters],
    options: { 'log-level': { type: 'string' }, 'log-format': { type: 'string' } },
    strict: false,
    allowPositionals: true,
  });
  for (const [flag, variable] of Object.entries(flags)) {
    const value = values[flag];
    if (typeof value === 'string') environment[variable] = value;
  }
}
