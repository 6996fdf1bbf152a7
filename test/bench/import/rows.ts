import type { BenchData, ImageName } from '../images.ts';

/**
 * How an image is fetched and converted by the tools that people use today. Scripts of bash: $url, $scratch, $target;
 * $blob is the URL of a registry's layer, $layer its digest.
 */
const download = 'curl --silent --show-error --fail --output "$scratch/image" "$url"';
const convert = (from: string, format: string) =>
  `qemu-img convert -W -m 8 -f ${format} -O raw "${from}" "$target" && sync "$target"`;
const sparseCopy = 'cp --reflink=never --sparse=always "$scratch/disk" "$target" && sync "$target"';
const decode = (format: string) =>
  `qemu-img convert -m 8 -n -f ${format} "$file" --target-image-opts driver=null-co,size=$virtual_size`;

const MEGABYTE = 1e6;
/** What the importer may take, in bytes. */
const MEMORY = 150 * MEGABYTE;

/** One kind of import: what is imported, and what it is compared with. */
export interface Row {
  readonly name: string;
  readonly image: ImageName;
  /** What its disk is full of, whatever others are. */
  readonly data?: BenchData;
  /** Its layer is compressed by gzip. */
  readonly registry?: true;
  /** Does the same with the usual tools. */
  readonly reference: string;
  /** Does nothing but decompress `$packed` and decode `$file`, which are in the page cache. */
  readonly decoding: string;
  /** The disk in the image, where it is packed in something else than compression: `$file`. */
  readonly unpacked?: ImageName;
  /** What the wall time of ours is to be at most, in that of the reference. */
  readonly aim: number;
  /** How many bytes its processes may have in memory at most. */
  readonly memory: number;
}

const converted = (name: string, image: ImageName, format: string, aim: number): Row => ({
  name,
  image,
  reference: `${download} && ${convert('$scratch/image', format)}`,
  decoding: decode(format),
  aim,
  memory: MEMORY,
});

const unpacked = (name: string, image: ImageName, toDisk: string, toNothing: string, aim: number): Row => ({
  name,
  image,
  reference: `${download} && ${toDisk} && ${sparseCopy}`,
  decoding: toNothing,
  aim,
  memory: MEMORY,
});

const fromRegistry = (name: string, image: ImageName): Row => ({
  name,
  image,
  registry: true,
  reference:
    'skopeo copy --quiet --src-tls-verify=false "$url" "dir:$scratch/image" && ' +
    `tar --use-compress-program=igzip -xf "$scratch/image/$layer" -C "$scratch" && ${convert('$scratch/disk/disk.img', 'qcow2')}`,
  decoding: `igzip -d -c "$packed" >/dev/null && ${decode('qcow2')}`,
  aim: 0.6,
  memory: MEMORY,
});

export const rows: readonly Row[] = [
  converted('qcow2-zlib', 'disk.zlib.qcow2', 'qcow2', 0.5),
  converted('qcow2-zstd', 'disk.zstd.qcow2', 'qcow2', 0.5),
  converted('qcow2', 'disk.qcow2', 'qcow2', 0.6),
  // One cluster in 16 is compressed, and the others are as they are.
  { ...converted('qcow2-4k', 'disk.4k.qcow2', 'qcow2', 1), data: 'hardly' },
  unpacked(
    'raw.gz',
    'disk.img.gz',
    'igzip -d -c "$scratch/image" >"$scratch/disk"',
    'igzip -d -c "$file" >/dev/null',
    0.6,
  ),
  unpacked(
    'raw.zst',
    'disk.img.zst',
    'zstd -q -d "$scratch/image" -o "$scratch/disk"',
    'zstd -q -d -c "$file" >/dev/null',
    0.6,
  ),
  unpacked(
    'raw.xz',
    'disk.img.xz',
    'xz -T0 -d -c "$scratch/image" >"$scratch/disk"',
    'xz -T0 -d -c "$file" >/dev/null',
    0.85,
  ),
  converted('raw', 'disk.img', 'raw', 0.6),
  fromRegistry('registry-zlib', 'disk.zlib.qcow2'),
  fromRegistry('registry-plain', 'disk.qcow2'),
  {
    name: 'ova',
    image: 'appliance.ova',
    reference:
      `${download} && tar -xf "$scratch/image" -C "$scratch" && ` + convert('$scratch/disk.stream.vmdk', 'vmdk'),
    decoding: decode('vmdk'),
    unpacked: 'disk.stream.vmdk',
    aim: 0.7,
    memory: MEMORY,
  },
  converted('vmdk', 'disk.vmdk', 'vmdk', 1),
  converted('vhd', 'disk.vhd', 'vpc', 1),
  converted('vhdx', 'disk.vhdx', 'vhdx', 1),
  converted('vdi', 'disk.vdi', 'vdi', 1),
];
