import { createHash, type Hash } from 'node:crypto';
import { TransferError } from '../errors.ts';

const algorithms = ['sha1', 'sha256', 'sha512'] as const;
type Algorithm = (typeof algorithms)[number];

const LINE = /^\s*SHA-?(1|256|512)\s*\((.+)\)\s*=\s*([0-9a-f]+)\s*$/i;

/** Whether a file begins as a manifest does. */
export function isManifest(head: Buffer): boolean {
  return LINE.test(head.toString('utf8').split('\n', 1)[0] ?? '');
}

/**
 * The manifest of an OVF package (DSP0243 section 5.1), wherever among the files it comes: what every file should have, and
 * what those that were read have.
 */
export class Manifest {
  readonly #location: string;
  readonly #expected = new Map<string, { algorithm: Algorithm; hex: string }>();
  readonly #found = new Map<string, Partial<Record<Algorithm, string>>>();
  #isKnown = false;

  /** @param location of the package, for messages */
  constructor(location: string) {
    this.#location = location;
  }

  /** Whether it has come. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** @throws TransferError ChecksumMismatch where it contradicts what was read before */
  parse(text: string): void {
    this.#isKnown = true;
    for (const line of text.split('\n')) {
      const [, bits, name, hex] = LINE.exec(line) ?? [];
      if (bits === undefined || name === undefined || hex === undefined) continue;
      this.#expected.set(name, { algorithm: `sha${bits}` as Algorithm, hex: hex.toLowerCase() });
    }
    for (const name of this.#found.keys()) this.#compare(name);
  }

  /** Hashes a file chunk by chunk: by all algorithms where the manifest has not come yet. */
  begin(name: string): { update(chunk: Buffer): void; end(): void } {
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
