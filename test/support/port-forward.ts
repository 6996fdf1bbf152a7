import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { collectTail } from '../../src/base/text-tail.ts';
import type { Log } from '../cluster/commands.ts';
import { spawnBound } from './bound-child.ts';

/** Where a forwarded port leads. */
export interface ForwardedTo {
  readonly namespace: string;
  /** What kubectl calls it, such as `service/cdi-uploadproxy`. */
  readonly name: string;
  readonly port: number;
}

/**
 * Does some work while kubectl forwards a port of this machine. What kubectl complains of is told only where the work
 * fails: connections that a client or server resets, as in the middle of an upload that goes on, are errors to it, too.
 *
 * @param work given the port of this machine
 */
export async function withForwardedPort<Result>(
  kubeConfigPath: string,
  { namespace, name, port }: ForwardedTo,
  work: (port: string) => Promise<Result>,
  log: Log = console.error,
): Promise<Result> {
  const forwarding = spawnBound(
    'kubectl',
    ['--kubeconfig', kubeConfigPath, '--namespace', namespace, 'port-forward', name, `:${port}`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const closed = once(forwarding, 'close');
  closed.catch(() => undefined);
  const complaints = forwarding.stderr && collectTail(forwarding.stderr);
  try {
    return await work(await forwardedPort(forwarding, closed));
  } catch (error) {
    forwarding.kill();
    await closed.catch(() => undefined);
    const said = complaints?.text();
    if (said) log(`kubectl port-forward: ${said}`);
    throw error;
  } finally {
    forwarding.kill();
  }
}

/** The port of this machine, once kubectl has said it. */
async function forwardedPort({ stdout }: ChildProcess, closed: Promise<unknown>): Promise<string> {
  if (stdout === null) throw new Error('the output of kubectl is not read');
  const ended = closed.then(() => Promise.reject(new Error('kubectl port-forward has ended')));
  ended.catch(() => undefined);
  const [line] = (await Promise.race([once(createInterface(stdout), 'line'), ended])) as [string];
  const [, port] = /^Forwarding from 127\.0\.0\.1:(\d+) /.exec(line) ?? [];
  if (port === undefined) throw new Error(`kubectl forwards no port: ${line}`);
  stdout.resume();
  return port;
}
