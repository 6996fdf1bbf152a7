import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import type { LibraryHandle } from 'koffi';

/** An argument of a native function. Buffers are passed by address, and pointers are bigints. */
export type NativeArgument = number | bigint | Buffer | null;
export type NativeResult = number | bigint;
export type NativeCall<Result extends NativeResult> = (...parameters: NativeArgument[]) => Result;

export type BlockingCall<Result extends NativeResult> = (
  done: (result: Result) => void,
  ...parameters: NativeArgument[]
) => void;

/** The environment variable that disables native libraries when set to `off`. */
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

/** Whether the address of a buffer can be determined. */
export const canAddress = koffi !== undefined;

/** Whether structs have the layout of 64-bit Linux. */
export const has64Bits = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');

/** Libraries that nobody has a handle of are unloaded, and others may know where they are. */
const loaded: LibraryHandle[] = [];

/** A shared library of the system, which stays loaded. */
export class NativeLibrary {
  readonly #handle: LibraryHandle;

  private constructor(handle: LibraryHandle) {
    this.#handle = handle;
    loaded.push(handle);
  }

  /**
   * Binds functions of a library.
   *
   * @param name with its ABI version, or null for the functions within Node itself
   * @param bind may return null where this version of the library is not known
   * @returns null where the library is missing, or lacks a function
   */
  static bind<Bound>(name: string | null, bind: (library: NativeLibrary) => Bound | null): Bound | null {
    if (koffi === undefined) return null;
    try {
      // Node contains other versions of some of these libraries, and calls from one version into another crash.
      return bind(new NativeLibrary(koffi.load(name, { deep: name !== null })));
    } catch {
      return null;
    }
  }

  /** Binds a function that is called on this thread. */
  call<Result extends NativeResult = number>(prototype: string): NativeCall<Result> {
    return this.#handle.func(prototype);
  }

  /**
   * Binds a function that may block, and is called on a thread of Node's pool. Its buffers stay alive, and must stay as
   * they are.
   */
  blockingCall<Result extends NativeResult = number>(prototype: string): BlockingCall<Result> {
    const bound = this.#handle.func(prototype) as unknown as { async: (...all: unknown[]) => void };
    return (done, ...parameters) =>
      bound.async(...parameters, (_error: unknown, result: Result) => {
        // Koffi keeps nothing alive but this function, and so the buffers that it refers to.
        parameters.length = 0;
        done(result);
      });
  }
}

/** Returns the address of a buffer, which has to be kept alive as long as the address is used. */
export function addressOf(buffer: Buffer): bigint {
  if (koffi === undefined) throw new Error('without native libraries nothing has an address');
  return koffi.address(buffer);
}
