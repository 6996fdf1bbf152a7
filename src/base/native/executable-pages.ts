import { closeSync, openSync, readSync } from 'node:fs';
import { has64Bits, NativeLibrary } from './ffi.ts';

/** MADV_DONTNEED of madvise(2): the pages are unmapped, and mapped again when they are used. */
const DONT_NEED = 4;
/** The line that begins a mapping in proc_pid_smaps(5): addresses, permissions, offset, device, inode and path. */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s+(.*)$/;
/** Pages that are no longer what the file says, in kB. They would be lost. */
const OWN_PAGES = /^Anonymous:\s+(\d+) kB$/;
/** Bytes that are read at once: what describes all mappings at once would take a megabyte to read. */
const PIECE = 8192;

/** To map again what threads at work use takes them 3 to 8 ms of processor time together. */
const INTERVAL_MILLISECONDS = 500;

interface Mapping {
  readonly address: bigint;
  readonly bytes: number;
}

const advise = has64Bits
  ? NativeLibrary.bind(null, (library) => library.call('int madvise(uint64_t address, size_t bytes, int advice)'))
  : null;

let mappings: Mapping[] | undefined;

/**
 * Unmaps the pages of Node's executable and of libraries that are mapped so far. Most of them are used only while Node
 * starts or modules are loaded, and would count as resident for as long as the process lives. Their content stays in
 * the page cache, from where those that are still in use are mapped again, which takes a millisecond or two in all.
 */
export function unmapExecutable(): void {
  if (advise === null) return;
  try {
    mappings ??= unchangedMappings(linesOf('/proc/self/smaps'));
  } catch {
    mappings = [];
  }
  for (const { address, bytes } of mappings) advise(address, bytes, DONT_NEED);
}

/**
 * Unmaps these pages now and from time to time, so that those are resident which the present work needs. Does not keep
 * the process alive.
 */
export function keepExecutableUnmapped(): void {
  unmapExecutable();
  setInterval(unmapExecutable, INTERVAL_MILLISECONDS).unref();
}

/**
 * Returns the mappings of files that cannot be written to, and have only pages that are what the file says.
 *
 * @param smaps the lines of /proc/PID/smaps, which describes a process
 */
export function unchangedMappings(smaps: Iterable<string>): Mapping[] {
  const found: Mapping[] = [];
  let current: Mapping | undefined;
  for (const line of smaps) {
    const [, start, end, permissions = '', path = ''] = MAPPING.exec(line) ?? [];
    if (start !== undefined && end !== undefined) {
      const isFile = path.startsWith('/') && !path.endsWith(' (deleted)');
      const isCandidate = isFile && permissions.startsWith('r-') && permissions.endsWith('p');
      const address = BigInt(`0x${start}`);
      current = isCandidate ? { address, bytes: Number(BigInt(`0x${end}`) - address) } : undefined;
    } else if (current !== undefined && OWN_PAGES.exec(line)?.[1] === '0') {
      found.push(current);
    }
  }
  return found;
}

function* linesOf(path: string): Generator<string> {
  const piece = Buffer.allocUnsafeSlow(PIECE);
  const file = openSync(path, 'r');
  try {
    let rest = '';
    for (let length = 1; length > 0;) {
      length = readSync(file, piece);
      const lines = (rest + piece.toString('latin1', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    closeSync(file);
  }
}
