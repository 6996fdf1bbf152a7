import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { spawnBound } from './bound-child.ts';

/** Where a forwarded port leads. */
export interface ForwardedTo {
  readonly namespace: string;
  /** What kubectl calls it, such as `service/cdi-uploadproxy`. */
  readonly name: string;
  readonly port: number;
}

/**
 * Does some work while kubectl forwards a port of this machine.
 *
 * @param work given the port of this machine
 */
export async function withForwardedPort<Result>(
  kubeConfigPath: string,
  { namespace, name, port }: ForwardedTo,
  work: (port: string) => Promise<Result>,
): Promise<Result> {
  const forwarding = spawnBound(
    'kubectl',
    ['--kubeconfig', kubeConfigPath, '--namespace', namespace, 'port-forward', name, `:${port}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    return await work(await forwardedPort(forwarding));
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
