import { printable } from '../../../base/printable.ts';

const END = 0;
const FEATURE_NAME_TABLE = 0x6803f857;
const EXTERNAL_DATA_FILE_NAME = 0x44415441;
const FEATURE_NAME_LENGTH = 48;
const INCOMPATIBLE = 0;

/** Header extensions that are used in messages. */
export interface Extensions {
  dataFile?: string;
  /** Names of incompatible features by their bits. */
  features: Map<number, string>;
}

/** Parses header extensions: a type, a length, and data padded to 8 bytes, up to the one of type 0. */
export function parseExtensions(area: Buffer): Extensions {
  const extensions: Extensions = { features: new Map() };
  for (let at = 0; at + 8 <= area.length;) {
    const type = area.readUInt32BE(at);
    const length = area.readUInt32BE(at + 4);
    const data = area.subarray(at + 8, at + 8 + length);
    if (type === END || data.length < length) break;
    if (type === EXTERNAL_DATA_FILE_NAME) extensions.dataFile = printable(data);
    if (type === FEATURE_NAME_TABLE) addFeatures(extensions.features, data);
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return extensions;
}

function addFeatures(features: Map<number, string>, table: Buffer): void {
  for (let at = 0; at + FEATURE_NAME_LENGTH <= table.length; at += FEATURE_NAME_LENGTH) {
    if (table[at] !== INCOMPATIBLE) continue;
    features.set(table[at + 1] ?? 0, printable(table.subarray(at + 2, at + FEATURE_NAME_LENGTH)));
  }
}

/** Returns the names of the bits that are set, for people. */
export function nameFeatures(bits: bigint, names: Map<number, string>): string {
  const found: string[] = [];
  for (let bit = 0; bit < 64; bit += 1) {
    if ((bits & (1n << BigInt(bit))) !== 0n) found.push(names.get(bit) ?? `bit ${bit}`);
  }
  return found.join(', ');
}
