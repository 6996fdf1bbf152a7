import type { Command } from 'commander';
import { tell } from '../output.ts';
import type { ShowClonesOptions } from './show-clones.ts';

/** Adds `clones`, which shows the clones of a cluster. */
export function registerClones(program: Command): void {
  program
    .command('clones')
    .description('show the clones that are under way in a cluster, and why those that fell back did')
    .option('-n, --namespace <name>', 'in this namespace; by default in that of the current context')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-w, --watch', 'go on showing them until interrupted')
    .action(async (options: ShowClonesOptions) => {
      // This is half of the executable, and other commands do not need it.
      const { showClones } = await import('./show-clones.ts');
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort());
      try {
        await showClones(options, interrupted.signal);
      } catch (error) {
        if (interrupted.signal.aborted) return;
        tell(error instanceof Error ? error.message : String(error));
        process.exitCode = 1;
      }
    });
}
