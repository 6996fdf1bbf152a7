import { constants } from 'node:os';
import { printableText } from './printable.ts';

/**
 * Every way in which a transfer can fail. The value says whether a retry can help: `permanent` failures need somebody
 * to change something first, `passing` ones may resolve themselves.
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
  BaseMismatch: 'passing',
  Interrupted: 'passing',
  DiskLocked: 'passing',
  TicketExpired: 'passing',
  TransferEnded: 'passing',
  TransferCancelled: 'permanent',
  InvalidUrl: 'permanent',
  InvalidRequest: 'permanent',
  RequestNotUnderstood: 'passing',
  NotFound: 'permanent',
  Unauthorized: 'permanent',
  Forbidden: 'permanent',
  RequestRejected: 'permanent',
  ProxyRefused: 'permanent',
  TooManyRedirects: 'permanent',
  RedirectRefused: 'permanent',
  AddressRefused: 'permanent',
  CertificateUntrusted: 'permanent',
  TlsFailed: 'permanent',
  ProtocolViolation: 'permanent',
  PlatformNotFound: 'permanent',
  DiskNotFound: 'permanent',
  ChecksumMismatch: 'permanent',
  ImageTooLarge: 'permanent',
  StageMismatch: 'permanent',
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

/** A stable identifier of a failure. Callers decide by it, never by the message. */
export type TransferErrorCode = keyof typeof permanence;

export const transferErrorCodes = Object.keys(permanence) as TransferErrorCode[];

/** Longest message in characters. A termination message has 4096 bytes, and longer text adds nothing. */
const LONGEST_MESSAGE = 2000;

/** What the user has to provide or allow. How depends on the program that runs the transfer. */
export type Remedy =
  | 'trust-authority'
  | 'allow-plain-http'
  | 'give-credentials'
  | 'give-s3-credentials'
  | 'give-gcs-credentials'
  | 'give-ovirt-credentials'
  | 'give-vsphere-credentials';

export interface TransferErrorOptions extends ErrorOptions {
  /** What would help, where the way to provide it depends on the program that runs the transfer. */
  remedy?: Remedy | undefined;
  /** The delay that the server asked for before a retry, in milliseconds. */
  retryAfter?: number;
}

/**
 * A failure of a transfer. Its message says what failed, where, and what to do. It contains no secrets, and is one
 * printable line whatever it quotes from an image or a server.
 */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  readonly code: TransferErrorCode;
  readonly retryAfter: number | undefined;
  readonly remedy: Remedy | undefined;

  constructor(code: TransferErrorCode, message: string, options?: TransferErrorOptions) {
    // Names, hosts, and what servers and images say are untrusted text.
    super(printableText(message, LONGEST_MESSAGE), options);
    this.code = code;
    this.retryAfter = options?.retryAfter;
    this.remedy = options?.remedy;
  }

  /** Whether a retry cannot help until somebody changes something. */
  get permanent(): boolean {
    return permanence[this.code] === 'permanent';
  }
}

/** Failures of the image itself, which are often detected where its location is not known. */
const ofImages = new Set<TransferErrorCode>(['InvalidImage', 'TruncatedImage', 'UnsupportedImage', 'StreamCorrupted']);

/** Returns the same failure with the image's location, where it is a failure of the image that does not name it. */
export function atLocation(error: unknown, location: string): unknown {
  if (!(error instanceof TransferError) || !ofImages.has(error.code) || error.message.includes(location)) return error;
  return new TransferError(error.code, `${location}: ${error.message}`, { cause: error, remedy: error.remedy });
}

/** The layout of the image needs random access, which a stream does not offer. The image itself is not at fault. */
export class RandomAccessNeeded extends Error {
  override readonly name = 'RandomAccessNeeded';
}

/** The image can only be converted from a complete copy in scratch space, and there is none. */
export class ScratchNeeded extends Error {
  override readonly name = 'ScratchNeeded';
}

/** Returns the system's code of an error (ENOENT, UND_ERR_SOCKET, …), searching causes and aggregates. */
export function systemCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 8; depth += 1) {
    if ('code' in current && typeof current.code === 'string') return knownCode(current);
    current = current instanceof AggregateError ? current.errors[0] : current.cause;
  }
  return undefined;
}

/** Names the error of an exceeded quota, for which Node only says "Unknown system error -122". */
function knownCode(error: Error & { code?: unknown; errno?: unknown }): string {
  return error.errno === -constants.errno.EDQUOT ? 'EDQUOT' : String(error.code);
}

/** Returns the same failure, with instructions for the remedy that it names. */
export function advised(failure: TransferError, advice: Readonly<Record<Remedy, string>>): TransferError {
  const { code, message, remedy } = failure;
  return remedy === undefined ? failure : new TransferError(code, `${message}: ${advice[remedy]}`, { cause: failure });
}

/** Converts anything that was thrown to a TransferError, and returns TransferErrors as they are. */
export function asTransferError(error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TransferError('InternalError', `unexpected failure: ${message}`, { cause: error });
}
