import { fstatSync } from 'node:fs';
import { stdin } from 'node:process';
import type { ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { OpenedSource, Source } from '../../base/source.ts';
import { FileSource } from './file-source.ts';

/** Opens standard input; as a file where it is one, because a file can be read at any offset. */
export function openStandardInput(progress: Progress): Source {
  return fstatSync(stdin.fd).isFile() ? new FileSource('/dev/stdin', progress) : new StandardInput(progress);
}

/** A stream that can be read once. */
class StandardInput implements Source {
  readonly location = 'standard input';
  readonly #progress: Progress;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  async open(): Promise<OpenedSource> {
    if (stdin.readableDidRead) {
      throw new TransferError(
        'SourceNotReadable',
        'standard input can be read only once, and this image has to be read again: import it from a file',
      );
    }
    return { bytes: this.#read(), size: undefined, mediaType: undefined };
  }

  async openRanges(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    stdin.destroy();
  }

  async *#read(): ByteStream {
    this.#progress.awaiting();
    for await (const bytes of stdin as AsyncIterable<Buffer>) {
      this.#progress.read(bytes.length);
      yield bytes;
      this.#progress.awaiting();
    }
  }
}
