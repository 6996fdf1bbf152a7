import { isIn } from '../signature.ts';
import { named } from './named-signature.ts';
import { isText } from './text.ts';

/** Offset of the length of the first name in the binary header of a cpio archive, and the longest plausible one. */
const OLD_CPIO_NAME_LENGTH_AT = 20;
const OLD_CPIO_HEADER = 26;
const LONGEST_NAME = 4096;
/** Offset at which a DOS/Windows program has the offset of its Windows header. */
const PE_HEADER_AT = 60;

const files = [
  named('a ZIP archive', 'PK\x03\x04'),
  named('a ZIP archive', 'PK\x05\x06'),
  named('a ZIP archive', 'PK\x07\x08'),
  named('a 7z archive', '7z\xbc\xaf\x27\x1c'),
  named('a RAR archive', 'Rar!\x1a\x07'),
  named('a PDF document', '%PDF-'),
  named('an RPM package', '\xed\xab\xee\xdb'),
  named('a Debian package', '!<arch>\ndebian'),
  named('an ar archive', '!<arch>\n'),
  named('a cpio archive', '070701'),
  named('a cpio archive', '070702'),
  named('a cpio archive', '070707'),
  named('a cabinet archive', 'MSCF\0\0\0\0'),
  named('a xar archive', 'xar!\0\x1c'),
  named('an LHA archive', '-lh5-', 2),
  named('an installer package or document of Windows', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  named('a program (ELF)', '\x7fELF'),
  named('a program (Mach-O)', '\xcf\xfa\xed\xfe'),
  named('a catalogue of translations', '\xde\x12\x04\x95'),
  named('a picture (PNG)', '\x89PNG\r\n\x1a\n'),
  named('a picture (JPEG)', '\xff\xd8\xff'),
  named('a picture (GIF)', 'GIF8'),
  named('a zstd dictionary', '\x37\xa4\x30\xec'),
];

/**
 * Names the kind of a file that certainly is not a disk.
 *
 * @param head its start, HEAD_LENGTH bytes or all there are
 */
export function describeForeignFile(head: Buffer): string | undefined {
  const known = files.find((kind) => isIn(head, kind));
  if (known !== undefined) return known.what;
  if (isOldCpio(head)) return 'a cpio archive';
  if (isWindowsProgram(head)) return 'a program for Windows';
  const start = head.toString('latin1', 0, 1024).trimStart().toLowerCase();
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) return 'an HTML page';
  if (/^(ï»¿)?<\?xml/.test(start)) return 'an XML document';
  return isText(head) ? 'text' : undefined;
}

/**
 * Recognises a binary cpio archive. Its magic number, 070707 in octal, has only two bytes, so that a name has to follow
 * the header.
 */
function isOldCpio(head: Buffer): boolean {
  if (head.length < OLD_CPIO_HEADER) return false;
  const isLittle = head.readUInt16LE(0) === 0o070707;
  if (!isLittle && head.readUInt16BE(0) !== 0o070707) return false;
  const length = isLittle ? head.readUInt16LE(OLD_CPIO_NAME_LENGTH_AT) : head.readUInt16BE(OLD_CPIO_NAME_LENGTH_AT);
  if (length < 2 || length > LONGEST_NAME) return false;
  return head.subarray(OLD_CPIO_HEADER, OLD_CPIO_HEADER + length).indexOf(0) === length - 1;
}

function isWindowsProgram(head: Buffer): boolean {
  if (head.toString('latin1', 0, 2) !== 'MZ' || head.length < PE_HEADER_AT + 4) return false;
  const at = head.readUInt32LE(PE_HEADER_AT);
  return head.toString('latin1', at, at + 4) === 'PE\0\0';
}
