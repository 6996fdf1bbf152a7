import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the resident memory of a process that moves data small, without loss of speed. Chunks of data lie outside V8's
 * heap and are kept alive by tiny objects within it, so that a young generation of the default size keeps far too many
 * of them. It does not shrink again: this has to be called before other modules are loaded. Of a process that runs, V8
 * takes no other size.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Keeps the resident memory of a server close to the size of its caches. It allocates little and briefly, and V8 would
 * let the heap double before it collects it. Has to be called before other modules are loaded, too.
 *
 * Of the optimising compilers there is only the quick one: the other, and that of WebAssembly, in which a parser of
 * HTTP is written, take 20 MB more, for what takes hardly less time. Without any, a request takes nearly twice as long.
 */
export function keepHeapSmall(): void {
  for (const flag of ['--optimize-for-size', '--no-opt', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering'])
    setFlagsFromString(flag);
}

/**
 * Keeps the resident memory small that compilers take of a server that lives long and moves data: of JavaScript only
 * what is hottest is optimised, and of WebAssembly, in which the parser of answers of the API server is written,
 * nothing. Has to be called before other modules are loaded, too.
 */
export function keepCodeSmall(): void {
  for (const flag of ['--no-maglev', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
}

/**
 * Keeps the resident memory small of a process whose data passes through native code. V8's last optimising compiler
 * would bring in its own code and use 10 to 20 MB while it works, and the quick one up to 12 MB, for JavaScript that
 * takes a small share of the time: an import takes up to an eighth more of processor time without them. Has to be
 * called before other modules are loaded.
 */
export function keepCompilersOut(): void {
  for (const flag of ['--no-opt', '--no-maglev']) setFlagsFromString(flag);
}

/**
 * Keeps the resident memory small of a process that from now on moves data as it is. What it allocates is garbage soon,
 * which V8 would let grow by 30 MB before it collects it; and its optimising compiler would take 6 MB, for what takes a
 * twentieth less of processor time.
 */
export function keepGarbageSmall(): void {
  for (const flag of ['--heap-growing-percent=10', '--no-opt']) setFlagsFromString(flag);
}
