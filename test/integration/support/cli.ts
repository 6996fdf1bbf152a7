import { Command } from 'commander';
import { registerCommands } from '../../../src/cli/commands.ts';

const program = new Command('diskpress');
registerCommands(program);
await program.parseAsync();
