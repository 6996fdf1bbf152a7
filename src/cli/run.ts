import { Command } from 'commander';
import { registerClones } from './clones/command.ts';
import { registerCommands } from './commands.ts';

/** Runs the command that the process's arguments name; a wrong one ends the process with its help. */
export async function runCommandLine(about: {
  readonly description: string;
  readonly version: string;
  /** What the executable does in a cluster, by its first argument. */
  readonly roles: readonly string[];
}): Promise<void> {
  const program = new Command('diskpress')
    .description(about.description)
    .version(about.version)
    .showHelpAfterError()
    .addHelpText('after', `\nIn a cluster the first argument is a role: ${about.roles.join(', ')}.`);
  registerCommands(program);
  registerClones(program);
  await program.parseAsync();
}
