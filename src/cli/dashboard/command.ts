import { type Command, InvalidArgumentError } from 'commander';
import { tell } from '../output.ts';
import type { DashboardOptions } from './serve-dashboard.ts';

const HIGHEST_PORT = 65_535;

/** Adds `dashboard`, which serves a page that shows what happens in a cluster. */
export function registerDashboard(program: Command): void {
  program
    .command('dashboard')
    .description('serve a page, for this user alone, that shows clones, imports, uploads and images of a cluster')
    .option('-n, --namespace <name>', 'of this namespace; by default of that of the current context')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-p, --port <number>', 'on this port of 127.0.0.1; by default on any free one', parsePort)
    .action(async (options: DashboardOptions) => {
      // The client of the cluster is half of the executable, and other commands do not need it.
      const { serveDashboard } = await import('./serve-dashboard.ts');
      const interrupted = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
      try {
        await serveDashboard(options, interrupted.signal);
      } catch (error) {
        if (interrupted.signal.aborted) return;
        tell(error instanceof Error ? error.message : String(error));
        process.exitCode = 1;
      }
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= HIGHEST_PORT) return port;
  throw new InvalidArgumentError(`It should be a number from 1 to ${HIGHEST_PORT}.`);
}
