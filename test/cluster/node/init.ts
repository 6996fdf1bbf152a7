// The first process of a node: runs in the node's namespaces, makes its mounts, and keeps its components running.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { makeLocalVolumes } from './local-volumes.ts';
import { makeMounts } from './mounts.ts';
import type { NodeSpec, NodeStatus } from './spec.ts';
import { Supervisor } from './supervisor.ts';

const folder = process.argv[2]!;
const spec = JSON.parse(readFileSync(join(folder, 'node.json'), 'utf8')) as NodeSpec;
makeMounts(spec);
makeLocalVolumes(join(spec.disk, spec.name));

const logs = join(folder, 'logs');
mkdirSync(logs, { recursive: true });
const supervisors = new Map(
  spec.components.map((component) => [component.name, new Supervisor(component, logs)] as const),
);
supervisors.forEach((supervisor) => supervisor.start());

function status(): NodeStatus {
  return { name: spec.name, components: [...supervisors.values()].map((supervisor) => supervisor.status()) };
}

async function control(action: string, component: string, signal: NodeJS.Signals): Promise<boolean> {
  const supervisor = supervisors.get(component);
  if (!supervisor || !['start', 'stop', 'restart'].includes(action)) {
    return false;
  }
  if (action !== 'start') {
    await supervisor.stop(signal);
  }
  if (action !== 'stop') {
    supervisor.start();
  }
  return true;
}

const socket = join(folder, 'control.sock');
rmSync(socket, { force: true });
createServer((request, response) => {
  const url = new URL(request.url!, 'http://node');
  const signal = (url.searchParams.get('signal') ?? 'SIGTERM') as NodeJS.Signals;
  const answer = (code: number) =>
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status()));
  if (request.method === 'GET') {
    answer(200);
    return;
  }
  control(url.pathname.slice(1), url.searchParams.get('component') ?? '', signal).then(
    (known) => answer(known ? 200 : 404),
    () => answer(500),
  );
}).listen(socket);
