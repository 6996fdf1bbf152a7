import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  type TransferProgress,
  transferProgress,
  type TransferResult,
  transferResult,
} from '../../../src/protocol/transfer-pod.ts';
import { cachedTypeScript } from '../../support/product-command.ts';

/** What the roles are told that they work for. */
export const OWNER_UID = 'f00d';

type LogLine = Record<string, unknown> & { message: string };

/** What roles are run by. */
export interface RoleProgram {
  /** Options of Node. */
  readonly options?: readonly string[];
  readonly script: string;
  /** What it calls a role and its settings, where that is not as here. */
  readonly translate?: (role: string, settings: object) => [role: string, settings: object];
}

const ownProgram: RoleProgram = {
  options: cachedTypeScript,
  script: join(import.meta.dirname, 'role-process.ts'),
};

/** A role that runs as a child process. */
export class RunningRole {
  readonly process: ChildProcess;
  readonly log: LogLine[] = [];
  readonly #terminationMessage: string;
  readonly #exited: Promise<number | null>;
  readonly #waiting = new Set<() => void>();

  /** @param user that it becomes; the one of this process where none is given */
  constructor(
    role: string,
    settings: object,
    terminationMessage: string,
    { user, program = ownProgram }: { user?: number | undefined; program?: RoleProgram | undefined } = {},
  ) {
    this.#terminationMessage = terminationMessage;
    const { options = [], script, translate = (...same) => same } = program;
    const [name, given] = translate(role, settings);
    const parameters = [name, JSON.stringify(given), ...(user === undefined ? [] : [String(user)])];
    this.process = spawn(process.execPath, [...options, script, ...parameters], {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, LOG_FORMAT: 'json', TERMINATION_MESSAGE_PATH: terminationMessage, OWNER_UID },
    });
    this.#exited = once(this.process, 'exit').then(([code]) => code as number | null);
    const changed = (): void => this.#waiting.forEach((look) => look());
    createInterface({ input: this.process.stderr! }).on('line', (line) => {
      this.log.push(parseLine(line));
      changed();
    });
    void this.#exited.then(changed);
  }

  /** The first line of the log, now or later, that is as wanted. */
  async logged(wanted: (line: LogLine) => boolean): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const line = this.log.find(wanted);
        if (line) resolve(line);
        else if (this.process.exitCode !== null) reject(new Error(`it ended first:\n${JSON.stringify(this.log)}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async stage(name: string): Promise<LogLine> {
    return this.logged(({ message }) => message === name || message.endsWith(`: ${name}`));
  }

  /** What it serves over HTTP: progress, metrics. */
  async get(path: string): Promise<Response> {
    const { progressPort } = await this.stage('starting');
    return fetch(`http://127.0.0.1:${String(progressPort)}${path}`);
  }

  /** Asks for the progress until it is as wanted. */
  async progress(wanted: (progress: TransferProgress) => boolean): Promise<TransferProgress> {
    for (;;) {
      const progress = transferProgress.parse(await (await this.get('/progress')).json());
      if (wanted(progress)) return progress;
    }
  }

  /** Waits for the end; its exit code must fit its result. */
  async result(): Promise<TransferResult> {
    const exitCode = await this.#exited;
    const result = transferResult.parse(JSON.parse(await readFile(this.#terminationMessage, 'utf8')));
    if (exitCode !== (result.outcome === 'succeeded' ? 0 : 1)) {
      throw new Error(`exit code ${exitCode} with result ${JSON.stringify(result)}`);
    }
    return result;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    await this.#exited;
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { message: line };
  }
}
