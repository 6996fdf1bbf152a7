import { readFileSync } from 'node:fs';
import { addressOf, has64Bits, NativeLibrary } from '../../base/native/ffi.ts';
import { DecodingFailed, type Step, type StreamCodec, type StreamDecoder } from './stream-codec.ts';

/**
 * Offsets of the fields of `struct inflate_state`, by the file name of the library version. They change between
 * versions, and the library does not report its version.
 */
const layouts: Partial<Record<string, Layout>> = {
  'libisal.so.2.0.30': {
    size: 87368,
    nextOut: 0,
    availOut: 8,
    nextIn: 16,
    availIn: 32,
    blockState: 21160,
    crcFlag: 21172,
  },
};

interface Layout {
  size: number;
  nextOut: number;
  availOut: number;
  nextIn: number;
  availIn: number;
  blockState: number;
  crcFlag: number;
}

const LIBRARY = 'libisal.so.2';
const FINISHED = 5;
const FIRST_MAGIC = 0x1f;
const GZIP = 1;
const DECODED = 0;
const END_OF_INPUT = 1;
const OUTPUT_FULL = 2;

/** ISA-L's gzip decoder (RFC 1952), or null where no known version is installed. */
export const igzip: StreamCodec | null = NativeLibrary.bind(LIBRARY, bind);

function bind(library: NativeLibrary): StreamCodec | null {
  const layout = layouts[fileBehind(LIBRARY) ?? ''];
  if (layout === undefined || !has64Bits) return null;
  const initialise = library.call('void isal_inflate_init(void *state)');
  const reset = library.call('void isal_inflate_reset(void *state)');
  const inflate = library.call('int isal_inflate(void *state)');
  return () => new GzipDecoder(layout, { initialise, reset, inflate });
}

/** Returns the file name that a library was loaded from. */
function fileBehind(name: string): string | undefined {
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n');
  const path = lines.find((line) => line.includes(`/${name}`));
  return path?.slice(path.lastIndexOf('/') + 1);
}

interface Functions {
  initialise(state: Buffer): unknown;
  reset(state: Buffer): unknown;
  inflate(state: Buffer): number;
}

class GzipDecoder implements StreamDecoder {
  readonly #layout: Layout;
  readonly #functions: Functions;
  readonly #state: Buffer;
  #betweenMembers = false;

  constructor(layout: Layout, functions: Functions) {
    this.#layout = layout;
    this.#functions = functions;
    this.#state = Buffer.alloc(layout.size);
    functions.initialise(this.#state);
    this.#state.writeUInt32LE(GZIP, layout.crcFlag);
  }

  step(input: Buffer, output: Buffer): Step {
    const padding = this.#betweenMembers ? leadingZeros(input) : 0;
    if (this.#betweenMembers) {
      if (padding === input.length) return { consumed: padding, produced: 0, complete: true };
      if (input[padding] !== FIRST_MAGIC) throw new DecodingFailed('foreign');
      this.#functions.reset(this.#state);
      this.#state.writeUInt32LE(GZIP, this.#layout.crcFlag);
    }
    const { consumed, produced } = this.#inflate(input.subarray(padding), output);
    this.#betweenMembers = this.#state.readUInt32LE(this.#layout.blockState) === FINISHED;
    return { consumed: padding + consumed, produced, complete: this.#betweenMembers };
  }

  close(): void {
    // The state is a buffer and needs no release.
  }

  #inflate(input: Buffer, output: Buffer): { consumed: number; produced: number } {
    const state = this.#state;
    const { nextIn, availIn, nextOut, availOut } = this.#layout;
    state.writeBigUInt64LE(addressOf(input), nextIn);
    state.writeUInt32LE(input.length, availIn);
    state.writeBigUInt64LE(addressOf(output), nextOut);
    state.writeUInt32LE(output.length, availOut);
    const code = this.#functions.inflate(state);
    if (code !== DECODED && code !== END_OF_INPUT && code !== OUTPUT_FULL) throw new DecodingFailed('damaged');
    const consumed = input.length - state.readUInt32LE(availIn);
    return { consumed, produced: output.length - state.readUInt32LE(availOut) };
  }
}

/** Counts leading zeros: members may be padded with them, as on tapes. */
function leadingZeros(bytes: Buffer): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? bytes.length : first;
}
