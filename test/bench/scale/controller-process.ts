import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { eventually } from '../../support/eventually.ts';
import { freePorts } from '../../support/ports.ts';
import { type Usage, usageOf } from '../../support/process-usage.ts';
import { scrape } from '../../support/scrape.ts';
import { MetricSamples } from '../metric-samples.ts';

/** The controllers as the image runs them: the bundled executable, in a process of its own. */
export class ControllerProcess {
  readonly #child: ChildProcess;
  readonly #ports: { readonly metrics: number; readonly health: number };
  readonly #token: string;

  private constructor(child: ChildProcess, ports: { metrics: number; health: number }, token: string) {
    this.#child = child;
    this.#ports = ports;
    this.#token = token;
  }

  /**
   * Starts the controllers of a build, and resolves when they lead and are ready.
   *
   * @param folder the top of the build's checkout
   * @param token of an administrator, who may read the metrics
   */
  static async start(folder: string, kubeConfigPath: string, token: string, log: string): Promise<ControllerProcess> {
    const [metrics, health] = (await freePorts(2)) as [number, number];
    const output = openSync(log, 'a');
    const child = spawn(execPath, [join(folder, 'dist/main.js'), 'controller'], {
      stdio: ['ignore', output, output],
      env: {
        ...process.env,
        KUBECONFIG: kubeConfigPath,
        TRANSFER_IMAGE: 'localhost/diskpress:none',
        METRICS_PORT: String(metrics),
        HEALTH_PORT: String(health),
        NODE_ENV: 'production',
        // As the image sets it.
        MALLOC_ARENA_MAX: '2',
        NODE_OPTIONS: await nodeOptionsOf(folder),
      },
    });
    closeSync(output);
    process.once('exit', () => child.kill('SIGKILL'));
    const controller = new ControllerProcess(child, { metrics, health }, token);
    // The certificate of its metrics is made by the one who leads.
    await eventually(
      `the controller leads; its log is ${log}`,
      async () => (await controller.metrics()).sum('leader_election_master_status') === 1,
      60_000,
    );
    await eventually('the controller is ready', () => controller.#isReady(), 60_000);
    return controller;
  }

  async usage(): Promise<Usage> {
    return usageOf(this.#child.pid);
  }

  async metrics(): Promise<MetricSamples> {
    const { metrics: port } = this.#ports;
    // Earlier builds serve everything on one port, to anybody.
    const { text } = await scrape({ port, token: this.#token }).catch(() => scrape({ port, scheme: 'http' }));
    return new MetricSamples(text);
  }

  async #isReady(): Promise<boolean> {
    const { metrics, health } = this.#ports;
    const ask = async (port: number) => scrape({ port, scheme: 'http', path: '/readyz' });
    return (await ask(health).catch(() => ask(metrics))).status === 200;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

/** Returns what the Deployment of a build sets for Node.js. */
async function nodeOptionsOf(folder: string): Promise<string> {
  const deployment = await readFile(join(folder, 'deploy/base/controller.yaml'), 'utf8');
  return /name: NODE_OPTIONS\n\s+value: (\S+)/.exec(deployment)?.[1] ?? '';
}
