import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { prometheusProgram } from '../cluster/prometheus.ts';
import { Program } from './child-process.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './ports.ts';

/** A series of an answer, with its last value. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [seconds: number, value: string];
}

interface RuleState {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}

/** A real Prometheus on this machine, which keeps what it scrapes until it is stopped. */
export class Prometheus {
  readonly #folder: string;
  readonly #port: number;
  readonly #program: Program;

  private constructor(folder: string, port: number, program: Program) {
    this.#folder = folder;
    this.#port = port;
    this.#program = program;
  }

  /**
   * Starts it, and resolves when it answers.
   *
   * @param files beside its configuration, by their names
   * @param configuration as it is documented; paths are relative to those files
   */
  static async start(files: Readonly<Record<string, string>>, configuration: object): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
    const all = { ...files, 'prometheus.json': JSON.stringify(configuration) };
    for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text, { mode: 0o600 });
    const [port] = (await freePorts(1)) as [number];
    const program = new Program(
      prometheusProgram('prometheus'),
      [
        `--config.file=${join(folder, 'prometheus.json')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      join(folder, 'log'),
    );
    const prometheus = new Prometheus(folder, port, program);
    await eventually('Prometheus answers', () => prometheus.#isReady());
    return prometheus;
  }

  /** @throws Error with what Prometheus says of a query that it refuses */
  async query(expression: string): Promise<readonly Series[]> {
    const answer = await this.#get(`query?query=${encodeURIComponent(expression)}`);
    return (answer as { result: readonly Series[] }).result;
  }

  async rules(): Promise<readonly RuleState[]> {
    const { groups } = (await this.#get('rules')) as { groups: readonly { rules: readonly RuleState[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  async stop(): Promise<void> {
    await this.#program.end('SIGTERM');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    const { statusCode, body } = await request(`http://127.0.0.1:${this.#port}/-/ready`);
    await body.dump();
    return statusCode === 200;
  }

  async #get(path: string): Promise<unknown> {
    const { body } = await request(`http://127.0.0.1:${this.#port}/api/v1/${path}`);
    const { status, data, error } = (await body.json()) as { status: string; data?: unknown; error?: string };
    if (status !== 'success') throw new Error(`Prometheus refuses ${decodeURIComponent(path)}: ${error}`);
    return data;
  }
}
