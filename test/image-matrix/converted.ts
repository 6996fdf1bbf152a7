import { run } from '../cluster/commands.ts';
import type { MatrixImage } from './matrix-image.ts';
import { type Content, contents, writeRaw } from './raw-disk.ts';

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const ODD_SIZE = 5 * MEBIBYTE + 37 * 512;

interface Qcow2Options {
  clusterSize: string;
  compat?: '0.10' | '1.1';
  compression?: 'zlib' | 'zstd';
  more?: string[];
  content?: Content;
  size?: number;
}

/** Images as `qemu-img convert` writes them; every table comes before what it maps. */
export function* converted(): Generator<MatrixImage> {
  for (const clusterSize of ['512', '1k', '4k', '16k', '64k', '256k', '2M']) {
    for (const content of contents) {
      yield qcow2({ clusterSize, content, size: content === 'full' ? 2 * MEBIBYTE + 512 : ODD_SIZE });
    }
    yield qcow2({ clusterSize, compat: '0.10' });
    for (const compression of ['zlib', 'zstd'] as const) {
      for (const content of ['full', 'mixed'] as const) yield qcow2({ clusterSize, compression, content });
    }
    yield qcow2({ clusterSize, compat: '0.10', compression: 'zlib' });
    for (const preallocation of ['metadata', 'falloc', 'full']) {
      // Where the data is reserved as well, the L1 table comes last.
      const streams = preallocation === 'metadata';
      yield { ...qcow2({ clusterSize, more: [`preallocation=${preallocation}`], size: 3 * MEBIBYTE + 512 }), streams };
    }
    yield qcow2({ clusterSize, more: ['lazy_refcounts=on'] });
    yield qcow2({ clusterSize, more: ['refcount_bits=1'] });
  }
  for (const clusterSize of ['16k', '64k', '2M']) {
    for (const content of contents) yield qcow2({ clusterSize, more: ['extended_l2=on'], content });
    yield qcow2({ clusterSize, more: ['extended_l2=on'], compression: 'zstd' });
    yield qcow2({ clusterSize, more: ['extended_l2=on', 'preallocation=metadata'] });
  }
  for (const size of [512, 64 * KIBIBYTE - 512, 64 * KIBIBYTE + 512]) {
    yield qcow2({ clusterSize: '64k', content: 'full', size });
    yield qcow2({ clusterSize: '64k', content: 'full', size, compression: 'zlib' });
  }
}

function qcow2({
  clusterSize,
  compat = '1.1',
  compression,
  more = [],
  content = 'mixed',
  size = ODD_SIZE,
}: Qcow2Options): MatrixImage {
  const options = [`cluster_size=${clusterSize}`, `compat=${compat}`, ...more];
  if (compression === 'zstd') options.push('compression_type=zstd');
  const compressed = compression === undefined ? [] : ['-c'];
  return {
    name: `qcow2 ${options.join(' ')} ${compression === undefined ? '' : `${compression} clusters `}${content} ${size}`,
    format: 'qcow2',
    streams: true,
    make: async (folder, path) => {
      const raw = await writeRaw(folder, content, size);
      await run('qemu-img', ['convert', '-O', 'qcow2', ...compressed, '-o', options.join(','), raw, path]);
    },
  };
}
