import type { CompressionDriver } from './driver.ts';
import { bzip2 } from './kinds/bzip2.ts';
import { gzip } from './kinds/gzip.ts';
import { xz } from './kinds/xz.ts';
import { zstd } from './kinds/zstd.ts';

/** The supported compressions. */
const declared = [gzip, zstd, xz, bzip2] as const satisfies readonly CompressionDriver[];

export type Compression = (typeof declared)[number]['name'];

export const compressions: readonly CompressionDriver<Compression>[] = declared;

const byName = new Map(compressions.map((driver) => [driver.name, driver]));

export function compressionNamed(name: Compression): CompressionDriver<Compression> {
  const driver = byName.get(name);
  if (driver === undefined) throw new Error(`there is no compression ${name}`);
  return driver;
}
