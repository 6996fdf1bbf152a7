import { has64Bits, type NativeCall, NativeLibrary } from '../../base/native/ffi.ts';

/** Computes an integrity check piece by piece. */
export interface RunningCheck {
  add(bytes: Buffer): void;
  /** Returns the check as stored in an xz file. */
  digest(): Buffer;
}

/** Checks by their numbers in xz files. */
const CRC32 = 1;
const CRC64 = 4;

interface Functions {
  crc32: NativeCall<number>;
  crc64: NativeCall<number | bigint>;
}

const functions: Functions | null = NativeLibrary.bind('libisal.so.2', (library) =>
  has64Bits
    ? {
        crc32: library.call('uint32_t crc32_gzip_refl(uint32_t init_crc, void *buf, uint64_t len)'),
        crc64: library.call('uint64_t crc64_ecma_refl(uint64_t init_crc, void *buf, uint64_t len)'),
      }
    : null,
);

/**
 * Returns a check that uses ISA-L's CRCs, which take a tenth of the time of those in liblzma 5.4.
 *
 * @param check number of the check in xz files
 * @returns undefined for other checks, and without that library
 */
export function fastCheck(check: number): RunningCheck | undefined {
  if (functions === null) return undefined;
  if (check === CRC32) return runningCheck(functions.crc32, 4);
  return check === CRC64 ? runningCheck(functions.crc64, 8) : undefined;
}

function runningCheck(update: NativeCall<number | bigint>, length: number): RunningCheck {
  let value: number | bigint = 0;
  return {
    add(bytes) {
      value = update(value, bytes, bytes.length);
    },
    digest() {
      const digest = Buffer.alloc(8);
      digest.writeBigUInt64LE(BigInt(value));
      return digest.subarray(0, length);
    },
  };
}
