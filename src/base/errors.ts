import { constants } from 'node:os';
import { printableText } from './printable.ts';

/**
 * Every way in which a transfer can fail. The value says whether trying again can help: `permanent` failures need
 * somebody to change something first, `passing` ones may go away by themselves.
 */
const permanence = {
  HostNotFound: 'permanent',
  HostLookupFailed: 'passing',
  ConnectionRefused: 'passing',
  ConnectionFailed: 'passing',
  ConnectionLost: 'passing',
  SourceStalled: 'passing',
  ServerUnavailable: 'passing',
  TooManyRequests: 'passing',
  SourceChanged: 'passing',
  StreamCorrupted: 'passing',
  Interrupted: 'passing',
  InvalidUrl: 'permanent',
  InvalidRequest: 'permanent',
  NotFound: 'permanent',
  Unauthorized: 'permanent',
  Forbidden: 'permanent',
  RequestRejected: 'permanent',
  ProxyRefused: 'permanent',
  TooManyRedirects: 'permanent',
  RedirectRefused: 'permanent',
  CertificateUntrusted: 'permanent',
  TlsFailed: 'permanent',
  ProtocolViolation: 'permanent',
  PlatformNotFound: 'permanent',
  DiskNotFound: 'permanent',
  ChecksumMismatch: 'permanent',
  ImageTooLarge: 'permanent',
  NotAnImage: 'permanent',
  InvalidImage: 'permanent',
  TruncatedImage: 'permanent',
  UnsupportedImage: 'permanent',
  UnsupportedClone: 'permanent',
  NoSpace: 'permanent',
  TargetNotWritable: 'permanent',
  SourceNotReadable: 'permanent',
  ProgramMissing: 'permanent',
  ConversionFailed: 'permanent',
  InternalError: 'passing',
} as const satisfies Record<string, 'permanent' | 'passing'>;

/** A stable name of a way to fail; callers decide by it, never by the message. */
export type TransferErrorCode = keyof typeof permanence;

export const transferErrorCodes = Object.keys(permanence) as TransferErrorCode[];

/** In characters: what is longer says no more, and a pod's last words are 4096 bytes. */
const LONGEST_MESSAGE = 2000;

/** What a person has to give or set, by whatever name the program that runs the transfer has for it. */
export type Remedy =
  'trust-authority' | 'allow-plain-http' | 'give-credentials' | 'give-s3-credentials' | 'give-gcs-credentials';

export interface TransferErrorOptions extends ErrorOptions {
  /** What helps, where how it is given depends on who runs the transfer. */
  remedy?: Remedy | undefined;
  /** How long the other side asked to be left alone, in milliseconds. */
  retryAfter?: number;
}

/**
 * A failure of a transfer. Its message says what failed, where and what to do, and holds no secrets; it is one printable line, whatever
 * it quotes of an image or of the other side.
 */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  readonly code: TransferErrorCode;
  readonly retryAfter: number | undefined;
  readonly remedy: Remedy | undefined;

  constructor(code: TransferErrorCode, message: string, options?: TransferErrorOptions) {
    // Much of it comes from outside: names, hosts, what servers and images say.
    super(printableText(message, LONGEST_MESSAGE), options);
    this.code = code;
    this.retryAfter = options?.retryAfter;
    this.remedy = options?.remedy;
  }

  /** True where trying again cannot help until somebody changes something. */
  get permanent(): boolean {
    return permanence[this.code] === 'permanent';
  }
}

/** What is wrong with an image is often found where nobody knows any more where it comes from. */
const ofImages = new Set<TransferErrorCode>(['InvalidImage', 'TruncatedImage', 'UnsupportedImage', 'StreamCorrupted']);

/** The same failure, with where the image is, if it is the image's and does not tell. */
export function atLocation(error: unknown, location: string): unknown {
  if (!(error instanceof TransferError) || !ofImages.has(error.code) || error.message.includes(location)) return error;
  return new TransferError(error.code, `${location}: ${error.message}`, { cause: error, remedy: error.remedy });
}

/** The image's layout needs random access, which a stream does not give; nothing is wrong with the image. */
export class RandomAccessNeeded extends Error {
  override readonly name = 'RandomAccessNeeded';
}

/** The image can only be converted from a complete copy in scratch space, and none was given. */
export class ScratchNeeded extends Error {
  override readonly name = 'ScratchNeeded';
}

/** The system's code of an error (ENOENT, UND_ERR_SOCKET, …), looking through causes and aggregates. */
export function systemCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 8; depth += 1) {
    if ('code' in current && typeof current.code === 'string') return knownCode(current);
    current = current instanceof AggregateError ? current.errors[0] : current.cause;
  }
  return undefined;
}

/** Node has no name for the error of a quota that is exceeded, but says "Unknown system error -122". */
function knownCode(error: Error & { code?: unknown; errno?: unknown }): string {
  return error.errno === -constants.errno.EDQUOT ? 'EDQUOT' : String(error.code);
}

/** The same failure, with how the remedy that it names is given. */
export function advised(failure: TransferError, advice: Readonly<Record<Remedy, string>>): TransferError {
  const { code, message, remedy } = failure;
  return remedy === undefined ? failure : new TransferError(code, `${message}: ${advice[remedy]}`, { cause: failure });
}

/** Turns whatever was thrown into a TransferError, keeping those that are. */
export function asTransferError(error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TransferError('InternalError', `unexpected failure: ${message}`, { cause: error });
}
