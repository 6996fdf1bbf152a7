import { type Command, Option } from 'commander';
import { tell } from '../output.ts';
import type { MigrateOptions } from './check.ts';

/** Adds `migrate`, which looks at a cluster of CDI before Diskpress takes it over. */
export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description('say what becomes of each object of a cluster when Diskpress takes the place of CDI')
    .requiredOption('--check', 'only look, and change nothing; there is no other way')
    .addOption(new Option('-o, --output <format>', 'write it as JSON').choices(['json']))
    .action(async (options: MigrateOptions) => {
      // This is half of the executable, and other commands do not need it.
      const { checkMigration } = await import('./check.ts');
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort());
      try {
        if (!(await checkMigration(options, interrupted.signal))) process.exitCode = 1;
      } catch (error) {
        tell(error instanceof Error ? error.message : String(error));
        process.exitCode = 1;
      }
    });
}
