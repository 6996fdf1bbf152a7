import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { controlNodeComponent, down, loadImage, status, up } from './cluster.ts';
import { clusterName, identityOf, nodeFolder } from './identity.ts';

const started = Date.now();
const log = (line: string) => console.error(`[${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s] ${line}`);

const program = new Command('npm run cluster --').description(
  'A real Kubernetes on this machine, for tests. $DISKPRESS_CLUSTER names one of several; "diskpress" unless set.',
);

program
  .command('up')
  .description('make the cluster, or make it whole again; returns once everything is ready')
  .option('--nodes <count>', 'how many nodes it has at least', nodeCount, 1)
  .action(async ({ nodes }: { nodes: number }) => {
    const { kubeconfig } = await up({ nodes, log });
    log('the cluster is ready');
    console.log(`export KUBECONFIG=${kubeconfig}`);
  });

program
  .command('down')
  .description('remove the cluster and everything it left on this machine')
  .action(async () => {
    await down(log);
    log('nothing is left of the cluster');
  });

program
  .command('status')
  .description('what runs; the exit status tells whether all does')
  .action(async () => {
    const { name, addresses, nodes } = await status();
    const whole = addresses !== undefined && nodes.every(({ components }) => components.length > 0);
    const state = nodes.length === 0 ? 'down' : whole ? 'up' : 'incomplete: "up" makes it whole';
    console.log(`cluster ${name}: ${state}`);
    let running = whole;
    for (const node of nodes) {
      console.log(`${node.name}${node.components.length === 0 ? ': down' : ''}`);
      for (const { name: component, pid, failures, stopped } of node.components) {
        const what = pid ? 'running' : stopped ? 'stopped' : 'waiting';
        running &&= pid !== undefined;
        console.log(`  ${component.padEnd(24)} ${what}${failures ? `, restarted ${failures} times` : ''}`);
      }
    }
    if (addresses) {
      console.log(`kubeconfig ${addresses.kubeconfig}`);
    }
    process.exitCode = running ? 0 : 1;
  });

program
  .command('kubeconfig')
  .description("print the path of the cluster's kubeconfig file")
  .action(async () => {
    const { addresses, name } = await status();
    if (!addresses) {
      throw new Error(`cluster ${name} does not run: start it with "up"`);
    }
    console.log(addresses.kubeconfig);
  });

program
  .command('load')
  .description('load an image into every node')
  .argument('<image>', 'a docker or OCI archive, or the name of an image that was built here')
  .action((image: string) => loadImage(image, log));

program
  .command('logs')
  .description('print what a component logged')
  .argument('<component>', 'for example kube-apiserver, or "node" for the node itself')
  .option('--node <name>', 'on which node', 'node1')
  .option('-f, --follow', 'go on as more is logged')
  .action(async (component: string, { node, follow }: { node: string; follow?: boolean }) => {
    const folder = nodeFolder(identityOf(clusterName()), node);
    const file = component === 'node' ? join(folder, 'node.log') : join(folder, 'logs', `${component}.log`);
    await access(file).catch(() => {
      throw new Error(`there is no log of "${component}" on ${node}; "status" lists the components`);
    });
    spawn('tail', ['-n', '+1', ...(follow ? ['-f'] : []), file], { stdio: 'inherit' });
  });

for (const [action, description] of [
  ['restart', 'end a component; it is started again at once'],
  ['stop', 'end a component, and keep it down until "start" or "up"'],
  ['start', 'start a component that "stop" ended'],
] as const) {
  program
    .command(action)
    .description(description)
    .argument('<component>', 'for example kube-apiserver')
    .option('--node <name>', 'on which node; on all that have it unless given')
    .option('--signal <name>', 'what to end it with', 'SIGTERM')
    .action((component: string, options: { node?: string; signal: NodeJS.Signals }) =>
      controlNodeComponent(action, component, options),
    );
}

function nodeCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 9) {
    throw new InvalidArgumentError('give a number from 1 to 9');
  }
  return count;
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
