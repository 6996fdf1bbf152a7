import type { Command } from 'commander';
import { registerImport } from './import.ts';
import { registerInspect } from './inspect.ts';

/** Adds the commands that work without a cluster. */
export function registerCommands(program: Command): void {
  registerImport(program);
  registerInspect(program);
}
