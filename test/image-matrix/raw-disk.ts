import { createCipheriv } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { numbers } from './numbers.ts';

export const contents = ['empty', 'full', 'mixed'] as const;
export type Content = (typeof contents)[number];

/** Writes a raw disk, the same for the same parameters, over the one that was there; returns its path. */
export async function writeRaw(folder: string, content: Content, size: number): Promise<string> {
  const path = join(folder, 'disk.raw');
  await rm(path, { force: true });
  const file = await open(path, 'w');
  await file.truncate(size);
  if (content !== 'empty') {
    const random = numbers(`${content} ${size}`);
    for (let at = 0; at < size;) {
      const length = Math.min(size - at, Math.ceil(random() * 200) * 1024);
      const kind = random();
      if (kind < 0.5) await file.write(noise(at, length), 0, length, at);
      else if (content === 'full' || kind < 0.6)
        await file.write(Buffer.alloc(length, `text at ${at}\n`), 0, length, at);
      at += length;
    }
  }
  await file.close();
  return path;
}

function noise(seed: number, length: number): Buffer {
  const vector = Buffer.alloc(16);
  vector.writeDoubleLE(seed);
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 3), vector).update(Buffer.alloc(length));
}
