import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CommandFailed, type Log, run } from '../cluster/commands.ts';

/** The real kubectl, as a user of a cluster calls it, with a discovery cache of its own. */
export class Kubectl {
  readonly #kubeConfigPath: string;
  readonly #cache: string;

  private constructor(kubeConfigPath: string, cache: string) {
    this.#kubeConfigPath = kubeConfigPath;
    this.#cache = cache;
  }

  static async create(kubeConfigPath: string): Promise<Kubectl> {
    return new Kubectl(kubeConfigPath, await mkdtemp(join(tmpdir(), 'kubectl-')));
  }

  /** Resolves to what kubectl writes to its standard output; throws CommandFailed with what it says. */
  async run(...args: string[]): Promise<string> {
    return this.#run(args);
  }

  /** What kubectl says, or why it failed; for reports. */
  async told(...args: string[]): Promise<string> {
    try {
      return await this.#run(args);
    } catch (error) {
      if (error instanceof CommandFailed) return error.stderr;
      throw error;
    }
  }

  /** Like {@link run}; each line that kubectl writes is passed on as it comes. */
  async follow(log: Log, ...args: string[]): Promise<void> {
    await this.#run(args, undefined, log);
  }

  /** Applies an object, as a user of this name where it is given. */
  async apply(manifest: object, { user }: { user?: string } = {}): Promise<string> {
    return this.#run(['apply', '-f', '-', ...(user === undefined ? [] : ['--as', user])], stringify(manifest));
  }

  /**
   * Creates objects as they are in a file, as a user of this name where it is given; throws CommandFailed where one
   * exists. `raw` is the path to send to, `output` what of the answer is written.
   */
  async create(
    manifests: string,
    { user, raw, output }: { user?: string; raw?: string; output?: string } = {},
  ): Promise<string> {
    const flags = [
      ...(user === undefined ? [] : ['--as', user]),
      ...(raw === undefined ? [] : ['--raw', raw]),
      ...(output === undefined ? [] : ['--output', output]),
    ];
    return this.#run(['create', '-f', '-', ...flags], manifests);
  }

  /** Applies manifests as they are in a file. Each line that kubectl writes is passed on as it comes. */
  async applyText(manifests: string, onLine?: Log): Promise<string> {
    return this.#run(['apply', '-f', '-'], manifests, onLine);
  }

  /** What the API server would make of manifests, none of whose fields may be unknown to it; changes nothing. */
  async dryRun(manifests: string): Promise<string> {
    return this.#run(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'], manifests);
  }

  /** What kubectl says when it applies an object that is refused; throws where it is accepted. */
  async refusal(manifest: object, options: { user?: string } = {}): Promise<string> {
    let output: string;
    try {
      output = await this.apply(manifest, options);
    } catch (error) {
      if (error instanceof CommandFailed) return error.stderr;
      throw error;
    }
    throw new Error(`should have been refused: ${output}\n${stringify(manifest)}`);
  }

  async remove(): Promise<void> {
    await rm(this.#cache, { recursive: true, force: true });
  }

  async #run(args: string[], input?: string, onLine?: Log): Promise<string> {
    return run('kubectl', ['--cache-dir', this.#cache, ...args], {
      env: { KUBECONFIG: this.#kubeConfigPath },
      input,
      onLine,
    });
  }
}
