import { readFileSync, realpathSync } from 'node:fs';
import { execPath } from 'node:process';
import { has64Bits, NativeLibrary } from './ffi.ts';

/** MADV_DONTNEED of madvise(2): the pages are unmapped, and mapped again when they are used. */
const DONT_NEED = 4;
/** The line that begins a mapping in proc_pid_smaps(5): addresses, permissions, offset, device, inode and path. */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+\s+(.*)$/;
/** Pages that are no longer what the file says, in kB. They would be lost. */
const OWN_PAGES = /^Anonymous:\s+(\d+) kB$/;

interface Mapping {
  readonly address: bigint;
  readonly bytes: number;
}

const advise = has64Bits
  ? NativeLibrary.bind(null, (library) => library.call('int madvise(uint64_t address, size_t bytes, int advice)'))
  : null;

let mappings: Mapping[] | undefined;

/**
 * Unmaps the pages of Node's executable that are mapped so far. Most of them are used only while Node starts or modules
 * are loaded, and would count as resident for as long as the process lives. Their content stays in the page cache,
 * from where those that are still in use are mapped again, which takes a millisecond or two in all.
 */
export function unmapExecutable(): void {
  if (advise === null) return;
  try {
    mappings ??= unchangedMappings(readFileSync('/proc/self/smaps', 'latin1'), realpathSync(execPath));
  } catch {
    mappings = [];
  }
  for (const { address, bytes } of mappings) advise(address, bytes, DONT_NEED);
}

/**
 * Returns the mappings of a file that cannot be written to, and have only pages that are what the file says.
 *
 * @param smaps as /proc/PID/smaps describes a process
 */
export function unchangedMappings(smaps: string, file: string): Mapping[] {
  const found: Mapping[] = [];
  let current: Mapping | undefined;
  for (const line of smaps.split('\n')) {
    const [, start, end, permissions = '', path] = MAPPING.exec(line) ?? [];
    if (start !== undefined && end !== undefined) {
      const isCandidate = path === file && permissions.startsWith('r-') && permissions.endsWith('p');
      const address = BigInt(`0x${start}`);
      current = isCandidate ? { address, bytes: Number(BigInt(`0x${end}`) - address) } : undefined;
    } else if (current !== undefined && OWN_PAGES.exec(line)?.[1] === '0') {
      found.push(current);
    }
  }
  return found;
}
