import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { abandonStream, type ByteStream } from './bytes.ts';
import { systemCode } from './errors.ts';
import { Feeder } from './feeder.ts';
import { killGroup, programMissing } from './programs.ts';

const LONGEST_STDERR = 4096;

/** A program that reads a stream of bytes from its standard input. */
export class FedProgram {
  readonly #program: string;
  readonly #child: ChildProcess;
  readonly #input: ByteStream;
  readonly #feeder: Feeder;
  readonly #feeding: Promise<void>;
  readonly #exit: Promise<number | null>;
  #inputFailure: unknown;
  #stderr = '';
  #hasExited = false;

  constructor(program: string, parameters: string[], input: ByteStream) {
    const child = spawn(program, parameters, { detached: true, stdio: 'pipe', env: { ...process.env, LC_ALL: 'C' } });
    this.#program = program;
    this.#child = child;
    this.#input = input;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-LONGEST_STDERR);
    });
    this.#exit = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    // The exit is awaited only after the output has ended; an earlier failure must not count as unhandled.
    this.#exit.catch(() => {});
    this.#feeder = new Feeder(child.stdin);
    this.#feeding = this.#feeder.feed(input).catch((error: unknown) => {
      this.#inputFailure = error;
      killGroup(child.pid);
    });
  }

  /** Standard output. It has to be read, or the program may block forever. */
  get output(): Readable {
    return this.#child.stdout ?? Readable.from([]);
  }

  /** The last few KiB of standard error. */
  get stderr(): string {
    return this.#stderr;
  }

  /**
   * Waits until the program has exited successfully and the input has been read to its end.
   *
   * @param explain makes an error from the program's standard error
   * @throws the input's own failure; the error that `explain` made; TransferError ProgramMissing
   */
  async finish(explain: (stderr: string) => Error): Promise<void> {
    let exitCode: number | null;
    try {
      exitCode = await this.#exit;
    } catch (error) {
      throw systemCode(error) === 'ENOENT' ? programMissing(this.#program) : error;
    }
    this.#hasExited = true;
    if (exitCode !== 0) throw (this.#inputFailure as Error | undefined) ?? explain(this.#stderr.trim());
    await this.#feeding;
    if (this.#inputFailure !== undefined) throw this.#inputFailure as Error;
  }

  /** Stops the program. Has to be called in every case, once nothing more is needed from it. */
  stop(): void {
    this.#feeder.abandon();
    if (!this.#hasExited) killGroup(this.#child.pid);
    abandonStream(this.#input);
  }
}
