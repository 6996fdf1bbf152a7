/** Raw disks, by the rows of docs/formats.md: shell scripts that make $OUT, which is to be imported as it is. */
export const rawDisks: Record<string, string[]> = {
  'unknown data in whole sectors, as of a database': ['cp disk.img "$OUT"', 'head -c 512 disk.img > "$OUT"'],
  'nothing but zeros': ['truncate -s 4M "$OUT"', 'truncate -s 1000001 "$OUT"'],
  'partition table: MBR, GPT': [
    `truncate -s 8M "$OUT"; echo 2048,,83 | sfdisk -q "$OUT"`,
    `truncate -s 8M "$OUT"; printf 'label: gpt\\n2048,,L\\n' | sfdisk -q "$OUT"`,
    `truncate -s 8000001 "$OUT"; echo 2048,,83 | sfdisk -q "$OUT"`,
  ],
  ext4: ['cp ext4.img "$OUT"', '{ cat ext4.img; echo; } > "$OUT"'],
  XFS: ['truncate -s 300M "$OUT"; mkfs.xfs -q "$OUT"'],
  Btrfs: ['truncate -s 32M "$OUT"; mkfs.btrfs -q -M "$OUT"'],
  NTFS: ['truncate -s 8M "$OUT"; mkntfs -qF "$OUT" > log'],
  'FAT12, FAT16, FAT32': [1, 16, 64].map((size) => `truncate -s ${size}M "$OUT"; mkfs.fat "$OUT" > log`),
  swap: ['truncate -s 4M "$OUT"; mkswap -q "$OUT"'],
  'LVM: a physical volume': [
    String.raw`{ head -c 512 /dev/zero; printf 'LABELONE\1\0\0\0\0\0\0\0'; printf 'LVM2 001'; head -c 2096616 disk.img; } > "$OUT"`,
  ],
  'LUKS, of both versions': [
    'truncate -s 20M "$OUT"; echo x | cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 "$OUT"',
    'truncate -s 20M "$OUT"; echo x | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$OUT"',
  ],
  'ISO 9660, UDF': [
    'genisoimage -quiet -o "$OUT" files 2> log',
    'genisoimage -quiet -udf -o "$OUT" files 2> log',
    'mkudffs --new-file "$OUT" 2048 > log',
  ],
  'SquashFS, EROFS': ['mksquashfs files "$OUT" -quiet -no-progress', 'mkfs.erofs "$OUT" files > log'],
  'an ISO image with something else in its first sectors': [
    String.raw`genisoimage -quiet -o "$OUT" files 2> log; printf '\4\42\115\30' | dd of="$OUT" conv=notrunc status=none`,
  ],
};

/** What cannot be told from something else, and is not taken for a disk. */
export const noDisks: Record<string, string[]> = {
  'unknown data that is not a whole number of sectors': [
    'head -c 100001 disk.img > "$OUT"',
    'head -c 100001 disk.img | gzip > "$OUT"',
  ],
};
