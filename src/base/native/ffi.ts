import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import type { LibraryHandle } from 'koffi';

/** What a native function takes: buffers are passed by their address, and pointers are bigints. */
export type NativeArgument = number | bigint | Buffer | null;
export type NativeResult = number | bigint;
export type NativeCall<Result extends NativeResult> = (...parameters: NativeArgument[]) => Result;

/** Set to `off`, everything is done without native libraries. */
const SWITCH = 'DISKPRESS_NATIVE';

/** Koffi, where there is a build of it for this system. */
const koffi = process.env[SWITCH] === 'off' ? undefined : loadKoffi();

function loadKoffi(): typeof Koffi | undefined {
  try {
    return createRequire(import.meta.url)('koffi') as typeof Koffi;
  } catch {
    return undefined;
  }
}

/** Whether the place of a buffer in memory can be found out. */
export const canAddress = koffi !== undefined;

/** Whether structs are laid out as they are on all Linux systems of 64 bits. */
export const has64Bits = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');

/** A shared library of the system. */
export class NativeLibrary {
  readonly #handle: LibraryHandle;

  private constructor(handle: LibraryHandle) {
    this.#handle = handle;
  }

  /**
   * Binds functions of a library.
   *
   * @param name with its ABI's version, or null for what is within Node itself
   * @param bind may answer that this version of it is not known
   * @returns null where it is not there, or has not what is asked for
   */
  static bind<Bound>(name: string | null, bind: (library: NativeLibrary) => Bound | null): Bound | null {
    if (koffi === undefined) return null;
    try {
      // Node has some of these libraries within itself, in other versions: calls from one into the other end badly.
      return bind(new NativeLibrary(koffi.load(name, { deep: name !== null })));
    } catch {
      return null;
    }
  }

  /** A function to be called on this thread. */
  call<Result extends NativeResult = number>(prototype: string): NativeCall<Result> {
    return this.#handle.func(prototype);
  }
}

/** Where a buffer's memory is. The buffer has to be kept as long as the address. */
export function addressOf(buffer: Buffer): bigint {
  if (koffi === undefined) throw new Error('without native libraries nothing has an address');
  return koffi.address(buffer);
}
