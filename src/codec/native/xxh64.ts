import { has64Bits, type NativeCall, NativeLibrary } from '../../base/native/ffi.ts';
import { passZeroStripes, STRIPE } from './zero-stripes.ts';

interface Functions {
  reset: NativeCall<number>;
  update: NativeCall<number>;
  digest: NativeCall<number | bigint>;
}

/** Size of `XXH64_state_t` in units of 8 bytes; it begins with the total length and the four accumulators. */
const STATE_SIZE = 11;
/** Pending zeros are hashed together once there are this many bytes of them. */
const ZEROS_AT_ONCE = 16 * 1024 * 1024;
const zeros = Buffer.alloc(3 * STRIPE);

/** The hash XXH64 with seed 0, which the content checksums of zstd are based on. */
export class Xxh64 {
  readonly #functions: Functions;
  readonly #fields = new BigUint64Array(STATE_SIZE);
  readonly #state = Buffer.from(this.#fields.buffer);
  #zeros = 0;

  constructor(functions: Functions) {
    this.#functions = functions;
    this.reset();
  }

  /** Starts over. */
  reset(): void {
    this.#zeros = 0;
    this.#functions.reset(this.#state, 0n);
  }

  update(bytes: Buffer): void {
    this.#takeZeros();
    this.#take(bytes);
  }

  /** Adds this many bytes of zeros. */
  updateZeros(length: number): void {
    this.#zeros += length;
    if (this.#zeros >= ZEROS_AT_ONCE) this.#takeZeros();
  }

  /** Returns the lowest 32 bits of the hash so far. */
  lowestBits(): number {
    this.#takeZeros();
    return Number(BigInt.asUintN(32, BigInt(this.#functions.digest(this.#state))));
  }

  #take(bytes: Buffer): void {
    this.#functions.update(this.#state, bytes, bytes.length);
  }

  #takeZeros(): void {
    const begun = Number((this.#fields[0] ?? 0n) % BigInt(STRIPE));
    const first = Math.min(this.#zeros, (STRIPE - begun) % STRIPE);
    const last = (this.#zeros - first) % STRIPE;
    this.#take(zeros.subarray(0, first));
    this.#takeZeroStripes((this.#zeros - first - last) / STRIPE);
    this.#take(zeros.subarray(0, last));
    this.#zeros = 0;
  }

  #takeZeroStripes(count: number): void {
    if (count === 0) return;
    const [length = 0n, a = 0n, b = 0n, c = 0n, d = 0n] = this.#fields;
    this.#fields.set([length + BigInt(count * STRIPE), ...passZeroStripes(a, b, c, d, count)]);
  }
}

/** Creates an {@link Xxh64}, or is null where it cannot be called. Node contains it as part of libzstd. */
export const newXxh64: (() => Xxh64) | null = NativeLibrary.bind(null, (library) => {
  if (!has64Bits) return null;
  const functions: Functions = {
    reset: library.call('int ZSTD_XXH64_reset(void *state, uint64_t seed)'),
    update: library.call('int ZSTD_XXH64_update(void *state, void *input, size_t length)'),
    digest: library.call<number | bigint>('uint64_t ZSTD_XXH64_digest(void *state)'),
  };
  const create = () => new Xxh64(functions);
  return knowsItsState(create) ? create : null;
});

/**
 * Verifies the layout of the state, which no version number guarantees: with another layout, both ways to hash zeros
 * would differ.
 */
function knowsItsState(create: () => Xxh64): boolean {
  const [one, other] = [create(), create()];
  one.update(zeros);
  other.updateZeros(zeros.length);
  return one.lowestBits() === other.lowestBits();
}
