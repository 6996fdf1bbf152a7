import { Command } from 'commander';
import packageDocument from '../package.json' with { type: 'json' };

/** Ends the process when the role has, whatever sockets or timers it leaves behind. */
async function end(exitCode: Promise<number>): Promise<never> {
  process.exit(await exitCode);
}

// A role's code is loaded when it is asked for: an importer must not wait for the controllers to be parsed.
const program = new Command('diskpress')
  .description(packageDocument.description)
  .version(packageDocument.version)
  .showHelpAfterError();

program
  .command('controller', { hidden: true })
  .description('run the controllers, in a cluster or with KUBECONFIG')
  .action(async () => {
    const { runControllers } = await import('./controllers/run.ts');
    await end(runControllers(packageDocument.version));
  });

program
  .command('importer', { hidden: true })
  .description('fill a volume from where the request in the environment says')
  .action(async () => {
    const { runImporter } = await import('./pods/importer.ts');
    await end(runImporter());
  });

program
  .command('clone-source', { hidden: true })
  .description('send a volume to an upload server')
  .action(async () => {
    const { runCloneSource } = await import('./pods/clone-source.ts');
    await end(runCloneSource());
  });

program
  .command('upload-server', { hidden: true })
  .description('fill a volume with what a clone source sends')
  .action(async () => {
    const { runUploadServer } = await import('./pods/upload-server.ts');
    await end(runUploadServer());
  });

program
  .command('prepare-claim', { hidden: true })
  .description('succeed at once: that the pod ran means that its claim was mounted')
  .action(() => undefined);

await program.parseAsync();
