import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { request } from 'undici';
import { run } from '../../cluster/commands.ts';
import { repository } from '../../cluster/folders.ts';
import { eventually } from '../../support/eventually.ts';
import { freePorts } from '../../support/ports.ts';
import { scrape } from '../../support/scrape.ts';
import { MetricSamples } from '../metric-samples.ts';

/** Of /proc/PID/stat; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What the process has used since it was started. */
export interface Usage {
  /** User and system time, in milliseconds. */
  readonly cpu: number;
  /** Bytes. */
  readonly resident: number;
  /** The most that was resident at any time, in bytes. */
  readonly peak: number;
}

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
   * Bundles the executable, starts it, and resolves when it leads and is ready.
   *
   * @param token of an administrator, who may read the metrics
   */
  static async start(kubeConfigPath: string, token: string, log: string): Promise<ControllerProcess> {
    await run(execPath, ['build.ts'], { cwd: repository });
    const [metrics, health] = (await freePorts(2)) as [number, number];
    const output = openSync(log, 'a');
    const child = spawn(execPath, [join(repository, 'dist/main.js'), 'controller'], {
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
        // As the Deployment sets it.
        NODE_OPTIONS: '--max-semi-space-size=4',
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
    const folder = `/proc/${this.#child.pid}`;
    const [stat, status] = await Promise.all([
      readFile(join(folder, 'stat'), 'utf8'),
      readFile(join(folder, 'status'), 'utf8'),
    ]);
    // The second field is the program's name in brackets, which may hold blanks itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? NaN);
    return {
      cpu: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND,
      resident: kibibytes('VmRSS') * 1024,
      peak: kibibytes('VmHWM') * 1024,
    };
  }

  async metrics(): Promise<MetricSamples> {
    const { text } = await scrape({ port: this.#ports.metrics, token: this.#token });
    return new MetricSamples(text);
  }

  async #isReady(): Promise<boolean> {
    const { statusCode, body } = await request(`http://127.0.0.1:${this.#ports.health}/readyz`);
    await body.dump();
    return statusCode === 200;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
