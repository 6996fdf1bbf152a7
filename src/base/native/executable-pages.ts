import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { execPath } from 'node:process';
import { has64Bits, NativeLibrary } from './ffi.ts';

/** MADV_DONTNEED of madvise(2): the pages are unmapped, and mapped again when they are used. */
const DONT_NEED = 4;
/** The line that begins a mapping in proc_pid_smaps(5): addresses, permissions, offset, device, inode and path. */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s+(.*)$/;
/** How much of a mapping is resident, and how much is no longer what the file says and would be lost, in kB. */
const PAGES = /^(Rss|Anonymous|Swap):\s+(\d+) kB$/;
/** Bytes that are read at once: what describes all mappings at once would take a megabyte to read. */
const PIECE = 8192;

/** To map again what threads at work use takes them 3 to 8 ms of processor time together. */
const INTERVAL_MILLISECONDS = 500;

interface Mapping {
  readonly address: bigint;
  readonly bytes: number;
}

interface Candidate extends Mapping {
  readonly path: string;
  /** By what smaps calls them, in kB. */
  readonly pages: Partial<Record<string, string>>;
}

const advise = has64Bits
  ? NativeLibrary.bind(null, (library) => library.call('int madvise(uint64_t address, size_t bytes, int advice)'))
  : null;

let mappings: Mapping[] | undefined;

/**
 * Unmaps the pages of Node's executable that are mapped so far. Most of them are used only while Node starts or
 * modules are loaded, and would count as resident for as long as the process lives. Their content stays in the page
 * cache, from where those that are still in use are mapped again.
 */
export function unmapExecutable(): void {
  if (advise === null) return;
  mappings ??= ownMappings(() => realpathSync(execPath));
  for (const { address, bytes } of mappings) advise(address, bytes, DONT_NEED);
}

/**
 * Unmaps these pages, and those of the libraries that are loaded so far, now, from time to time, and whenever
 * {@link unmapExecutable} is called in this thread. Does not keep the process alive. Has to be called while no other
 * thread may load a library, or run JavaScript: parts of a file are where its data will be, or go with the thread.
 */
export function keepProgramUnmapped(): void {
  mappings = ownMappings();
  unmapExecutable();
  setInterval(unmapExecutable, INTERVAL_MILLISECONDS).unref();
}

function ownMappings(onlyFile?: () => string): Mapping[] {
  try {
    return unchangedMappings(linesOf('/proc/self/smaps'), onlyFile?.());
  } catch {
    return [];
  }
}

/**
 * Returns the mappings that cannot be written to, and have only pages that are what the file says, of files with
 * executable pages: of others, as of the cache in which libraries are looked up, nobody knows how long they stay.
 *
 * @param smaps the lines of /proc/PID/smaps, which describes a process
 * @param file the only one that is wanted
 */
export function unchangedMappings(smaps: Iterable<string>, file?: string): Mapping[] {
  const found: Candidate[] = [];
  const programs = new Set<string>();
  let current: Candidate | undefined;
  for (const line of smaps) {
    const [, start, end, permissions = '', path = ''] = MAPPING.exec(line) ?? [];
    if (start !== undefined && end !== undefined) {
      const isWanted = file === undefined ? path.startsWith('/') && !path.endsWith(' (deleted)') : path === file;
      if (isWanted && permissions === 'r-xp') programs.add(path);
      const address = BigInt(`0x${start}`);
      current = { address, bytes: Number(BigInt(`0x${end}`) - address), path, pages: {} };
      if (isWanted && permissions.startsWith('r-') && permissions.endsWith('p')) found.push(current);
    } else if (current !== undefined) {
      const [, kind, kilobytes] = PAGES.exec(line) ?? [];
      if (kind !== undefined) current.pages[kind] = kilobytes;
    }
  }
  // Where nothing is resident, there is nothing to unmap; and emulators say so of everything.
  const isUnchanged = ({ Rss: resident, Anonymous: own, Swap: swapped }: Candidate['pages']): boolean =>
    Number(resident) > 0 && own === '0' && swapped === '0';
  return found
    .filter(({ path, pages }) => programs.has(path) && isUnchanged(pages))
    .map(({ address, bytes }) => ({ address, bytes }));
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
