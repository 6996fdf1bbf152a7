import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import type { ObjectKey } from '../../src/kube/key.ts';
import { roleCertificates } from '../../src/protocol/installation.ts';
import { run } from '../cluster/commands.ts';
import { repository } from '../cluster/folders.ts';
import { spawnBound } from '../support/bound-child.ts';
import { type Environment, productNamespace } from '../support/environment.ts';

/** Uploads a file of this machine into a DataVolume with `diskpress upload`, through a port that kubectl forwards. */
export async function upload({ kubeConfigPath }: Environment, target: ObjectKey, file: string): Promise<void> {
  const service = `service/${roleCertificates.uploadproxy.service}`;
  const forwarding = spawnBound(
    'kubectl',
    ['--kubeconfig', kubeConfigPath, '--namespace', productNamespace, 'port-forward', service, ':443'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const url = `https://localhost:${await forwardedPort(forwarding)}`;
    const options = ['--namespace', target.namespace, '--uploadproxy-url', url];
    await run(execPath, [join(repository, 'src/main.ts'), 'upload', file, `dv/${target.name}`, ...options], {
      env: { KUBECONFIG: kubeConfigPath },
    });
  } finally {
    forwarding.kill();
  }
}

/** The port of this machine, once kubectl has said it. */
async function forwardedPort(forwarding: ChildProcess): Promise<string> {
  const { stdout } = forwarding;
  if (stdout === null) throw new Error('the output of kubectl is not read');
  const ended = once(forwarding, 'exit').then(() => Promise.reject(new Error('kubectl port-forward has ended')));
  ended.catch(() => undefined);
  const [line] = (await Promise.race([once(createInterface(stdout), 'line'), ended])) as [string];
  const [, port] = /^Forwarding from 127\.0\.0\.1:(\d+) /.exec(line) ?? [];
  if (port === undefined) throw new Error(`kubectl forwards no port: ${line}`);
  stdout.resume();
  return port;
}
