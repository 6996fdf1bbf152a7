import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CHART } from '../../../deploy/helm/chart-files.ts';
import { run } from '../../cluster/commands.ts';
import { productImage } from '../../cluster/image.ts';
import { helmBinary } from '../../cluster/index.ts';

const [repository = '', tag = ''] = productImage.split(/:(?=[^:]*$)/);

/** A release of the chart in a cluster, as somebody handles it who has Helm. */
export class Release {
  readonly name = 'disks';
  readonly namespace: string;
  readonly #kubeConfigPath: string;
  /** A copy, which a later version can be made of. */
  readonly #folder: string;

  private constructor(kubeConfigPath: string, namespace: string, folder: string) {
    this.#kubeConfigPath = kubeConfigPath;
    this.namespace = namespace;
    this.#folder = folder;
  }

  static async create(kubeConfigPath: string, namespace: string): Promise<Release> {
    const folder = await mkdtemp(join(tmpdir(), 'chart-'));
    await cp(CHART, folder, { recursive: true });
    return new Release(kubeConfigPath, namespace, folder);
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** What the chart becomes, without hooks. */
  async manifests(): Promise<string> {
    return this.#helm(['template', this.name, this.#folder, '--no-hooks', '--values', '-'], {});
  }

  async install(values: object): Promise<string> {
    return this.#helm(['install', this.name, this.#folder, '--wait', '--timeout', '4m', '--values', '-'], values);
  }

  async upgrade(values: object, ...flags: string[]): Promise<string> {
    const args = ['upgrade', this.name, this.#folder, '--wait', '--timeout', '4m', '--values', '-', ...flags];
    return this.#helm(args, values);
  }

  async test(): Promise<string> {
    return this.#helm(['test', this.name, '--timeout', '4m', '--logs']);
  }

  async uninstall(): Promise<string> {
    return this.#helm(['uninstall', this.name, '--wait', '--timeout', '4m']);
  }

  /** Has a later version of the chart, in one of whose files something is different. */
  async change(file: string, from: string, to: string): Promise<void> {
    const path = join(this.#folder, file);
    const text = await readFile(path, 'utf8');
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    await writeFile(path, text.replace(from, to));
  }

  async #helm(args: string[], values?: object): Promise<string> {
    const input = values && stringify({ image: { repository, tag }, ...values }, { version: '1.1' });
    return run(await helmBinary(), [...args, '--namespace', this.namespace], {
      env: { KUBECONFIG: this.#kubeConfigPath },
      ...(input === undefined ? {} : { input }),
    });
  }
}
