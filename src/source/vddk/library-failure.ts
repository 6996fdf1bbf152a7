import { TransferError, type TransferErrorCode } from '../../base/errors.ts';

/** A failure that the plugin has told. */
export interface LibraryFailure {
  /** The function of the library, without VixDiskLib_. */
  readonly call: string;
  /** The code of VixError, its low 16 bits. */
  readonly code: number;
  readonly text: string;
}

/** What codes of the library mean, where they do not pass. */
const codes: Readonly<Record<number, TransferErrorCode>> = {
  // VIX_E_INVALID_ARG: a virtual machine or a snapshot that is not there, for example.
  3: 'InvalidRequest',
  // VIX_E_FILE_NOT_FOUND
  4: 'DiskNotFound',
  // VIX_E_FILE_ACCESS_ERROR
  13: 'Forbidden',
  // VIX_E_HOST_USER_PERMISSIONS
  3014: 'Forbidden',
};

const advice: Partial<Record<TransferErrorCode, string>> = {
  InvalidRequest: 'are the virtual machine and its snapshot still there?',
  DiskNotFound: 'check backingFile, and whether the snapshot is still there',
  Forbidden: 'check the user, the password and the rights on the virtual machine and its datastore',
  Unauthorized: 'check the user and the password',
  CertificateUntrusted: 'check the thumbprint',
  ProgramMissing: 'is the library complete, and for this architecture?',
};

/** Reads a line of the plugin's that tells a failure. */
export function parseFailure(line: string): LibraryFailure | undefined {
  const [, call, code, text] = /error: VixDiskLib_(\w+): (\d+): ?(.*)$/.exec(line) ?? [];
  return call === undefined ? undefined : { call, code: Number(code), text: text ?? '' };
}

/** Explains a failure of the library. What is not known to be permanent is tried again. */
export function libraryFailure({ call, code, text }: LibraryFailure, location: string): TransferError {
  const kind = kindOf(call, code, text);
  const said = code === 0 ? text : `error ${code}: ${text}`;
  const help = advice[kind];
  return new TransferError(
    kind,
    `VDDK cannot ${deeds[call] ?? `do ${call}`} ${location} (${said})${help ? `: ${help}` : ''}`,
  );
}

const deeds: Readonly<Record<string, string>> = {
  Load: 'be loaded for',
  InitEx: 'be started for',
  ConnectEx: 'connect for',
  Open: 'open',
  GetInfo: 'tell the size of',
  Read: 'read',
  QueryAllocatedBlocks: 'tell what is allocated of',
};

function kindOf(call: string, code: number, text: string): TransferErrorCode {
  if (call === 'Load') return 'ProgramMissing';
  if (/thumbprint|certificate/i.test(text)) return 'CertificateUntrusted';
  if (/password|login|credential/i.test(text)) return 'Unauthorized';
  // A disk that could be opened is there, and may be read again once its host is well.
  if (call === 'Read' || call === 'QueryAllocatedBlocks') return 'ServerUnavailable';
  return codes[code] ?? 'ServerUnavailable';
}
