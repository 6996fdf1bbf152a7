import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import type { LibraryHandle } from 'koffi';

/** What a native function takes: buffers are passed by their address, and pointers are bigints. */
export type NativeArgument = number | bigint | Buffer | null;
export type NativeResult = number | bigint;
export type NativeCall<Result extends NativeResult> = (...parameters: NativeArgument[]) => Result;
export type NativeTask = (...parameters: NativeArgument[]) => Promise<number>;

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

/** A shared library of the system. */
export class NativeLibrary {
  readonly #handle: LibraryHandle;

  private constructor(handle: LibraryHandle) {
    this.#handle = handle;
  }

  /** @param name with its ABI's version, or null for what this process has loaded; undefined where it is not there */
  static open(name: string | null): NativeLibrary | undefined {
    try {
      const handle = koffi?.load(name);
      return handle && new NativeLibrary(handle);
    } catch {
      return undefined;
    }
  }

  /** A function to be called on this thread. @throws where the library has none of that prototype's name */
  call<Result extends NativeResult = number>(prototype: string): NativeCall<Result> {
    return this.#handle.func(prototype);
  }

  /** A function to be called on a thread of libuv's pool. What it is given lives until it has returned. */
  task(prototype: string): NativeTask {
    const native = this.#handle.func(prototype);
    return (...parameters) =>
      new Promise((resolve, reject) => {
        native.async(...(parameters as unknown[]), (error: unknown, result: number) => {
          // The address of a buffer does not keep it alive; this closure does.
          void parameters;
          if (error) reject(error);
          else resolve(result);
        });
      });
  }
}
