/**
 * Compressed disks and archives, by the rows of docs/formats.md: shell scripts that make $OUT from disk.img and the
 * folder files.
 */
export const packed: Record<string, string[]> = {
  gzip: ['gzip -c disk.img > "$OUT"', '{ gzip -c empty; gzip -c disk.img; head -c 600 /dev/zero; } > "$OUT"'],
  zstd: [
    'zstd -q -c disk.img > "$OUT"',
    'pzstd -q -p 3 -c disk.img > "$OUT"',
    String.raw`{ printf '\137\52\115\30\4\0\0\0test\120\52\115\30\0\0\0\0'; zstd -q -c disk.img; } > "$OUT"`,
    '{ pzstd -q -c empty; pzstd -q -c disk.img; } > "$OUT"',
    'zstd -q --long=27 -c < disk.img > "$OUT"',
  ],
  xz: ['xz -0 -c disk.img > "$OUT"', 'xz -0 -T2 --block-size=1MiB -c disk.img > "$OUT"'],
  bzip2: ['bzip2 -1 -c disk.img > "$OUT"', '{ bzip2 -c empty; bzip2 -1 -c disk.img; } > "$OUT"'],
  'bzip2 with something behind it': ['{ bzip2 -1 -c disk.img; echo more; } > "$OUT"'],
  'a qcow2 in any of these, and one in another': [
    'qemu-img convert -f raw -O qcow2 disk.img q; pzstd -q -c q > "$OUT"',
    'qemu-img convert -f raw -O qcow2 disk.img q; { bzip2 -c empty; bzip2 -1 -c q; } | gzip | xz -0 > "$OUT"',
  ],
  'zstd with a longer window': ['zstd -q --long=28 -c < disk.img > "$OUT"'],
  'zstd with a dictionary': [
    'mkdir s; seq 1 200000 | split -b 2000 - s/; zstd -q --train s/* -o d; zstd -q -D d -c disk.img > "$OUT"',
  ],
  'lz4, in frames of its own or old ones': [
    'lz4 -q -c disk.img > "$OUT"',
    'lz4 -q -l -c disk.img > "$OUT"',
    String.raw`{ printf '\120\52\115\30\4\0\0\0test'; lz4 -q -c disk.img; } > "$OUT"`,
  ],
  lzip: ['lzip -0 -c disk.img > "$OUT"'],
  lzop: ['lzop -c disk.img > "$OUT"'],
  lrzip: ['lrzip -Q -n -o "$OUT" disk.img'],
  bzip3: ['bzip3 -e -c < disk.img > "$OUT"'],
  'lzma (before xz)': ['xz --format=lzma -0 -c disk.img > "$OUT"', 'xz --format=lzma -6 -c < disk.img > "$OUT"'],
  'zlib, which is Content-Encoding: deflate': [
    `node -e 'process.stdout.write(require("zlib").deflateSync(require("fs").readFileSync("disk.img")))' > "$OUT"`,
  ],
  'compress (.Z)': ['compress -f -c disk.img > "$OUT" || test -s "$OUT"', 'compress -f -b 12 -c disk.img > "$OUT"'],
  LZFSE: [String.raw`{ printf 'bvx2'; head -c 100000 /dev/urandom; } > "$OUT"`],
  Snappy: [String.raw`{ printf '\377\6\0\0sNaPpY'; head -c 100000 /dev/urandom; } > "$OUT"`],
  'tar with one disk in it, compressed or not': [
    'tar -cf "$OUT" disk.img',
    'tar -cf - disk.img | pzstd -q -c > "$OUT"',
    'pzstd -q -c disk.img > d.zst; tar -cf "$OUT" d.zst',
  ],
  ZIP: ['zip -q - disk.img > "$OUT"'],
  '7z': ['7zz a -bso0 -mx0 a.7z disk.img; mv a.7z "$OUT"'],
  RAR: [String.raw`{ printf 'Rar!\32\7\1\0'; head -c 100000 /dev/urandom; } > "$OUT"`],
  cpio: [
    'echo disk.img | cpio -o --quiet -H newc > "$OUT"',
    'echo disk.img | cpio -o --quiet -H crc > "$OUT"',
    'echo disk.img | cpio -o --quiet -H odc > "$OUT"',
    'echo disk.img | cpio -o --quiet -H bin > "$OUT"',
  ],
  'Debian package': [
    'mkdir -p p/DEBIAN; printf "Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: m\\nDescription: d\\n" > p/DEBIAN/control; ' +
      'cp disk.img p; dpkg-deb -b --root-owner-group -Znone p "$OUT" > log',
  ],
  'RPM package': [String.raw`{ printf '\355\253\356\333\3\0\0\0'; head -c 100000 /dev/urandom; } > "$OUT"`],
  'cabinet (CAB)': ['gcab -c a.cab disk.img; mv a.cab "$OUT"'],
  'xar, a package of macOS': [String.raw`{ printf 'xar!\0\34\0\1'; head -c 100000 /dev/urandom; } > "$OUT"`],
  'program (ELF)': ['cp -L /proc/self/exe "$OUT"'],
  text: ['seq 1 100000 > "$OUT"', 'seq 1 100000 | gzip > "$OUT"', 'yes 0123456789abcde | head -c 1048576 > "$OUT"'],
  'XML, as in OVF': [`echo '<?xml version="1.0"?><Envelope/>' > "$OUT"`],
  'HTML, as of a login page': [`echo '<!DOCTYPE html><title>Log in</title>' > "$OUT"`],
  'nothing at all': [': > "$OUT"', 'gzip -c empty > "$OUT"', 'pzstd -q -c empty > "$OUT"', 'bzip2 -c empty > "$OUT"'],
};
