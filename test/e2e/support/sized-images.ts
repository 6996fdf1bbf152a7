import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import { diskFile } from '../../support/disk-images.ts';
import { startWebServer, webPath, type WebServer } from '../../support/web-server.ts';
import type { Suite } from './suite.ts';

/** The last bytes of every disk that is made here. */
export const DISK_END = 'the very end';

/** A web server with disks of any size. */
export class SizedImages {
  readonly #suite: Suite;
  readonly #folder: string;
  readonly #web: WebServer;

  private constructor(suite: Suite, folder: string, web: WebServer) {
    this.#suite = suite;
    this.#folder = folder;
    this.#web = web;
  }

  static async start(suite: Suite): Promise<SizedImages> {
    const folder = join(suite.state, 'sized-images');
    await mkdir(folder, { recursive: true });
    const web = await startWebServer({ address: suite.hostAddress, state: suite.state, root: folder });
    return new SizedImages(suite, folder, web);
  }

  /**
   * Makes a disk of so many bytes that begins like the suite's and ends with {@link DISK_END}.
   *
   * @returns its URL
   */
  async make(bytes: number, format: 'raw' | 'qcow2'): Promise<string> {
    const name = `${bytes}.${format === 'raw' ? 'img' : 'qcow2'}`;
    const raw = join(this.#folder, `${bytes}.img`);
    await copyFile(join(this.#suite.disk.folder, diskFile.raw), raw);
    const file = await open(raw, 'r+');
    await file.truncate(bytes);
    await file.write(DISK_END, bytes - DISK_END.length);
    await file.close();
    if (format === 'qcow2') {
      await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, join(this.#folder, name)]);
    }
    return `${this.#web.url}${webPath.plain}/${name}`;
  }

  /**
   * Makes a raw disk of so many bytes without any hole, which cannot be compressed.
   *
   * @returns its URL
   */
  async makeFull(bytes: number): Promise<string> {
    const name = `full-${bytes}.img`;
    const data = randomBytes(bytes);
    // Else it would be taken for no disk at all.
    data.write('\x55\xaa', 510, 'latin1');
    await writeFile(join(this.#folder, name), data);
    return `${this.#web.url}${webPath.plain}/${name}`;
  }

  async stop(): Promise<void> {
    await this.#web.stop();
  }
}
