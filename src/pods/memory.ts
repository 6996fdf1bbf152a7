import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the resident memory of a process that moves data small, at no cost in speed. Chunks of data lie outside V8's
 * heap and are held by tiny objects within it, so that a young generation of the usual size keeps far too many of them.
 * It does not shrink again: this has to be called before other modules are loaded.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--max-semi-space-size=1');
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Keeps the resident memory of the controllers near what their caches hold: they allocate little and briefly, and V8 would
 * rather let the heap double than collect it. To be called before other modules are loaded, too.
 *
 * The optimising compilers are left out, also that of WebAssembly, in which the HTTP parser is written: they take up to 40 MB, of which
 * little comes back, and a clone takes 4 ms of processor time more without them.
 */
export function keepHeapSmall(): void {
  for (const flag of [
    '--max-semi-space-size=1',
    '--semi-space-growth-factor=1',
    '--optimize-for-size',
    '--no-opt',
    '--no-maglev',
    '--no-wasm-tier-up',
    '--no-wasm-dynamic-tiering',
  ])
    setFlagsFromString(flag);
}
