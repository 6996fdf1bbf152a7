import { createHash, type Hash } from 'node:crypto';
import { TransferError } from '../../base/errors.ts';
import { memberPath, referredPaths } from './package-path.ts';

const algorithms = ['sha1', 'sha256', 'sha512'] as const;
type Algorithm = (typeof algorithms)[number];

const LINE = /^\s*SHA-?(1|256|512)\s*\((.+)\)\s*=\s*([0-9a-f]+)\s*$/i;
/** Lengths in hexadecimal digits. */
const digestLengths: Record<Algorithm, number> = { sha1: 40, sha256: 64, sha512: 128 };
/** A certificate begins like a manifest, with a signature in place of the digest. */
const CERTIFICATE = /\.cert$/i;

/** Whether a file is a manifest, by its name and its first line. */
export function isManifest(path: string, head: Buffer): boolean {
  const [first = ''] = head.toString('utf8').trimStart().split('\n', 1);
  return !CERTIFICATE.test(path) && parseLine(first) !== undefined;
}

interface ListedFile {
  name: string;
  algorithm: Algorithm;
  hex: string;
}

/** Parses a line; undefined where it has no valid digest of the algorithm that it names. */
function parseLine(line: string): ListedFile | undefined {
  const [, bits, name, hex] = LINE.exec(line) ?? [];
  if (bits === undefined || name === undefined || hex === undefined) return undefined;
  const algorithm = `sha${bits}` as Algorithm;
  return hex.length === digestLengths[algorithm] ? { name, algorithm, hex: hex.toLowerCase() } : undefined;
}

/**
 * The manifest of an OVF package (DSP0243 section 5.1), at any position among the files: the expected digests of all
 * files, and the actual ones of those that were read.
 */
export class Manifest {
  readonly #location: string;
  readonly #expected = new Map<string, ListedFile>();
  readonly #found = new Map<string, Partial<Record<Algorithm, string>>>();
  #isKnown = false;

  /** @param location of the package, for messages */
  constructor(location: string) {
    this.#location = location;
  }

  /** Whether the manifest has been read. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /**
   * @param path of the manifest, which the names in it are relative to
   * @throws TransferError ChecksumMismatch where it contradicts files that were read before
   */
  parse(text: string, path: string): void {
    this.#isKnown = true;
    for (const line of text.split('\n')) {
      const listed = parseLine(line);
      if (listed === undefined) continue;
      for (const file of referredPaths(listed.name, path)) this.#expected.set(file, listed);
    }
    for (const name of this.#found.keys()) this.#compare(name);
  }

  /** Hashes a file chunk by chunk: with all algorithms while the manifest has not been read. */
  begin(path: string): { update(chunk: Buffer): void; end(): void } {
    const name = memberPath(path);
    const wanted = this.#expected.get(name)?.algorithm;
    const chosen = this.#isKnown ? algorithms.filter((algorithm) => algorithm === wanted) : algorithms;
    const hashes = chosen.map((algorithm): [Algorithm, Hash] => [algorithm, createHash(algorithm)]);
    return {
      update: (chunk) => {
        for (const [, hash] of hashes) hash.update(chunk);
      },
      end: () => {
        this.#found.set(name, Object.fromEntries(hashes.map(([algorithm, hash]) => [algorithm, hash.digest('hex')])));
        this.#compare(name);
      },
    };
  }

  #compare(name: string): void {
    const expected = this.#expected.get(name);
    const actual = expected && this.#found.get(name)?.[expected.algorithm];
    if (expected === undefined || actual === undefined || actual === expected.hex) return;
    throw new TransferError(
      'ChecksumMismatch',
      `the ${expected.algorithm} of ${name} in ${this.#location} is ${actual}, and its manifest says ${expected.hex}: ` +
        'the file is damaged',
    );
  }
}
