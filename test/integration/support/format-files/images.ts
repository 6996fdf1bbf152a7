import { join } from 'node:path';

const writeVhdxLog = join(import.meta.dirname, 'write-vhdx-log.ts');

const qemu = (options: string): string => `qemu-img convert -f raw ${options} disk.img "$OUT"`;

/** Disk images, by the rows of docs/formats.md: shell scripts that make $OUT from disk.img. */
export const images: Record<string, string[]> = {
  'qcow2, versions 2 and 3': [
    qemu('-O qcow2'),
    qemu('-O qcow2 -o compat=0.10'),
    qemu('-O qcow2 -c'),
    qemu('-O qcow2 -c -o compression_type=zstd'),
    qemu('-O qcow2 -o extended_l2=on'),
  ],
  'qcow2 with a backing file': [
    'qemu-img convert -f raw -O qcow2 disk.img base; qemu-img create -q -f qcow2 -b base -F qcow2 "$OUT"',
  ],
  'qcow2, encrypted': [
    'qemu-img create -q --object secret,id=s,data=x -f qcow2 ' + '-o encrypt.format=aes,encrypt.key-secret=s "$OUT" 8M',
  ],
  'qcow, version 1': [qemu('-O qcow'), `${qemu('-c -O qcow')} || qemu-img compare -q -f raw -F qcow disk.img "$OUT"`],
  'qcow, version 1, with a backing file': [
    'qemu-img convert -f raw -O qcow disk.img base; qemu-img create -q -f qcow -b base -F qcow "$OUT"',
  ],
  'qcow, version 1, encrypted': [
    'qemu-img create -q --object secret,id=s,data=x -f qcow -o encrypt.format=aes,encrypt.key-secret=s "$OUT" 8M',
  ],
  QED: [qemu('-O qed')],
  'VMDK: one sparse file, or made to be sent': [qemu('-O vmdk'), qemu('-O vmdk -o subformat=streamOptimized')],
  'VMDK: the text that names the others of several files': [
    qemu('-O vmdk -o subformat=monolithicFlat'),
    qemu('-O vmdk -o subformat=twoGbMaxExtentSparse'),
  ],
  'VMDK: one of several files': [
    'qemu-img convert -f raw -O vmdk -o subformat=twoGbMaxExtentSparse disk.img s.vmdk; mv s-s001.vmdk "$OUT"',
  ],
  'VMDK of an ESX server (COWD)': [String.raw`{ printf 'COWD\1\0\0\0'; head -c 1048568 /dev/zero; } > "$OUT"`],
  'VMDK of a snapshot (seSparse)': [
    String.raw`{ printf '\276\272\376\312\0\0\0\0\1\0\0\0\2\0\0\0'; head -c 1048560 /dev/zero; } > "$OUT"`,
  ],
  'VHD, dynamic and fixed': [
    qemu('-O vpc -o force_size=on'),
    qemu('-O vpc -o subformat=fixed,force_size=on'),
    'qemu-img convert -f raw -O vpc -o subformat=fixed,force_size=on disk.img v; gzip -c v > "$OUT"',
  ],
  'VHD, fixed, cut off or too long': [
    'qemu-img convert -f raw -O vpc -o subformat=fixed,force_size=on disk.img v; tail -c +4097 v > "$OUT"',
  ],
  VHDX: [qemu('-O vhdx'), qemu('-O vhdx -o subformat=fixed')],
  'VHDX that was not closed cleanly': [`${qemu('-O vhdx')}; node '${writeVhdxLog}' "$OUT"`],
  VDI: [qemu('-O vdi'), qemu('-O vdi -o static=on')],
  Parallels: [qemu('-O parallels')],
  Bochs: ['bximage -q -func=create -hd=10 -imgmode=growing grown > log; mv grown "$OUT"'],
  'DMG of macOS': [
    String.raw`{ cat disk.img; printf 'koly\0\0\0\4\0\0\2\0'; head -c 500 /dev/zero; } > "$OUT"`,
    String.raw`{ cat disk.img; printf 'koly\0\0\0\4\0\0\2\0'; head -c 500 /dev/zero; } | gzip > "$OUT"`,
  ],
  'sparse image of Android': ['img2simg disk.img "$OUT"'],
  'backup of Proxmox VE (VMA)': [String.raw`{ printf 'VMA\0\0\0\0\1'; head -c 1048568 /dev/urandom; } > "$OUT"`],
  'Windows image (WIM)': ['wimcapture files "$OUT" > log', 'wimcapture --pipable files "$OUT" > log'],
  'forensic image (E01)': ['ewfacquirestream -q -t e < disk.img > log 2>&1; mv e.E01 "$OUT"'],
  'forensic image (AFF)': ['mv disk.img disk.raw; affconvert -q -o a.aff disk.raw > log 2>&1; mv a.aff "$OUT"'],
  'compressed loop image (cloop)': ['create_compressed_fs -q -B 65536 disk.img "$OUT" > log 2>&1'],
  'backup by partclone': ['partclone.extfs -c -s ext4.img -O "$OUT" -L log > log2 2>&1'],
  'backup by ntfsclone': ['mkntfs -qF ntfs.img > log; ntfsclone -q -s -O "$OUT" ntfs.img > log 2>&1'],
  'CD image with raw sectors (BIN of BIN and CUE)': [
    String.raw`{ printf '\0\377\377\377\377\377\377\377\377\377\377\0'; head -c 2340 /dev/urandom; } > "$OUT"`,
  ],
  'CD image of Nero (NRG)': [String.raw`{ head -c -12 disk.img; printf 'NER5\0\0\0\0\0\200\0\0'; } > "$OUT"`],
};
