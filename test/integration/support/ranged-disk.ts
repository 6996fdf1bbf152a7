import { text } from 'node:stream/consumers';
import type { DiskRange, DiskSource } from '../../../src/base/disk-source.ts';
import { HttpClient } from '../../../src/source/http/client.ts';

const client = new HttpClient({ receiveBuffer: 384 * 1024 });

/** A disk that a small server has: its map at /map, and its bytes in ranges everywhere else. */
export class RangedDisk implements DiskSource {
  readonly location: string;
  readonly version = '1';
  readonly size: number;
  readonly concurrency = 8;
  readonly largestRead: number;
  readonly #map: readonly DiskRange[];

  private constructor(url: string, map: readonly DiskRange[], largestRead: number) {
    this.location = url;
    this.largestRead = largestRead;
    this.#map = map;
    this.size = map.reduce((sum, { length }) => sum + length, 0);
  }

  static async open(url: string, largestRead: number): Promise<RangedDisk> {
    const { body } = await client.request(new URL('/map', url), {});
    return new RangedDisk(url, JSON.parse(await text(body)) as DiskRange[], largestRead);
  }

  async *ranges(from: number): AsyncGenerator<DiskRange, void, void> {
    for (const { offset, length, content } of this.#map) {
      const start = Math.max(offset, from);
      if (offset + length > start) yield { offset: start, length: offset + length - start, content };
    }
  }

  async read(offset: number, into: Buffer): Promise<void> {
    const headers = { range: `bytes=${offset}-${offset + into.length - 1}` };
    const { body } = await client.request(new URL('/disk', this.location), { headers });
    let at = 0;
    for await (const bytes of body) at += bytes.copy(into, at);
    if (at !== into.length) throw new Error(`${at} of ${into.length} bytes`);
  }

  async close(): Promise<void> {
    await client.close();
  }
}
