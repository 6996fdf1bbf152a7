import { Command } from 'commander';
import { registerClones } from './clones/command.ts';
import { registerCommands } from './commands.ts';
import { registerDashboard } from './dashboard/command.ts';
import { registerImages } from './images/command.ts';
import { registerMigrate } from './migrate/command.ts';
import { registerUpload } from './upload/command.ts';

/** Runs the command that the arguments of the process name; invalid arguments end the process with its help. */
export async function runCommandLine(about: {
  readonly description: string;
  readonly version: string;
  /** The roles of the executable in a cluster, which are named by its first argument. */
  readonly roles: readonly string[];
}): Promise<void> {
  const program = new Command('diskpress')
    .description(about.description)
    .version(about.version)
    .showHelpAfterError()
    .addHelpText('after', `\nIn a cluster the first argument is a role: ${about.roles.join(', ')}.`);
  registerCommands(program);
  registerUpload(program);
  registerClones(program);
  registerDashboard(program);
  registerMigrate(program);
  registerImages(program);
  await program.parseAsync();
}
