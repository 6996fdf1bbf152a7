import { memberPath } from './package-path.ts';

const programs = new Set(['usr', 'bin', 'sbin', 'lib']);

/** Detects whether the folders of an archive are those of an operating system: settings, and programs. */
export class RootTree {
  #hasSettings = false;
  #hasPrograms = false;

  note(path: string): void {
    const [first = '', second = ''] = memberPath(path).split('/', 2);
    const folder = first === 'rootfs' ? second : first;
    this.#hasSettings ||= folder === 'etc';
    this.#hasPrograms ||= programs.has(folder);
  }

  get isComplete(): boolean {
    return this.#hasSettings && this.#hasPrograms;
  }
}
