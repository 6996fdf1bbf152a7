import type { Command } from 'commander';
import { tell } from '../output.ts';
import type { ShowImagesOptions } from './show-images.ts';

/** Adds `images`, which shows the golden images of a cluster. */
export function registerImages(program: Command): void {
  program
    .command('images')
    .description('show the golden images of a cluster, how old they are, and what keeps newer ones away')
    .option('-n, --namespace <name>', 'in this namespace; by default in that of the current context')
    .option('-A, --all-namespaces', 'in all namespaces')
    .option('-w, --watch', 'go on showing them until interrupted')
    .action(async (options: ShowImagesOptions) => {
      // This is half of the executable, and other commands do not need it.
      const { showImages } = await import('./show-images.ts');
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort());
      try {
        await showImages(options, interrupted.signal);
      } catch (error) {
        if (interrupted.signal.aborted) return;
        tell(error instanceof Error ? error.message : String(error));
        process.exitCode = 1;
      }
    });
}
