/** Bytes that XXH64 consumes at once, eight for each of its accumulators. */
export const STRIPE = 32;

/** Returns the four accumulators of XXH64 after this many stripes of zeros. */
export type PassZeroStripes = (a: bigint, b: bigint, c: bigint, d: bigint, stripes: number) => bigint[];

// The part that is used here: TypeScript declares WebAssembly only for browsers.
declare const WebAssembly: {
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object) => { exports: { pass: PassZeroStripes } };
};

const I32 = 0x7f;
const I64 = 0x7e;
const STRIPES = 4;
/** PRIME64_1 of XXH64, as a signed LEB128. */
const PRIME = [0x87, 0x95, 0xaf, 0xaf, 0x98, 0xb6, 0xde, 0x9b, 0x9e, 0x7f];

const get = (local: number) => [0x20, local];
/** The round of an accumulator for zeros as input: i64.const 31, i64.rotl, i64.const PRIME, i64.mul. */
const round = (local: number) => [...get(local), 0x42, 31, 0x89, 0x42, ...PRIME, 0x7e, 0x21, local];
const accumulators = [0, 1, 2, 3];
const sized = (content: number[]) => [content.length, ...content];

const body = [
  0, // no further locals
  ...[0x03, 0x40], // loop
  ...accumulators.flatMap(round),
  ...[...get(STRIPES), 0x41, 1, 0x6b, 0x22, STRIPES], // one stripe less
  ...[0x0d, 0, 0x0b], // again while there are any; end
  ...accumulators.flatMap(get),
  0x0b,
];
const code = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic number and version
  1,
  ...sized([1, 0x60, ...sized([I64, I64, I64, I64, I32]), ...sized([I64, I64, I64, I64])]), // the type of the function
  3,
  ...sized([1, 0]), // the one function
  7,
  ...sized([1, ...sized([...Buffer.from('pass')]), 0, 0]), // its exported name
  10,
  ...sized([1, ...sized(body)]), // its body
]);

/**
 * Zero input saves half the multiplications, and so half the time. In WebAssembly, because JavaScript has no 64-bit
 * integers that are fast enough.
 */
export const passZeroStripes: PassZeroStripes = (...state) => {
  compiled ??= new WebAssembly.Instance(new WebAssembly.Module(code)).exports.pass;
  return compiled(...state);
};

/** Compiled when it is first needed: most imports have no zstd. */
let compiled: PassZeroStripes | undefined;
