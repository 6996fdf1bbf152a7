/** What the library tells about itself while it opens a disk. */
export interface LibraryReport {
  /** Version and build of the library, `8.0.3 build-23950268`. */
  readonly version?: string;
  /** The host that serves the disk. */
  readonly host?: string;
  /** How the disk is read: nbdssl, nbd, hotadd, san or file. */
  readonly transportMode?: string;
}

/** What is said in a line that the plugin writes to standard error; the library's own wording. */
export function parseReport(line: string): LibraryReport {
  const [, version, build] = /VMware VixDiskLib \(([^)]+)\) Release (build-\d+)/.exec(line) ?? [];
  const [, host] = /DISKLIB-LINK\s*: Opened '.*@([^'/@:]+)(?::\d+)?'/.exec(line) ?? [];
  const [, transportMode] = /^vddk: transport mode: (\w+)/.exec(line) ?? [];
  return {
    ...(version === undefined ? {} : { version: `${version} ${build}` }),
    ...(host === undefined ? {} : { host }),
    ...(transportMode === undefined ? {} : { transportMode }),
  };
}
