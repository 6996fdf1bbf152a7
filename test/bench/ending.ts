import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { exit, kill, pid } from 'node:process';

const undoings: (() => void)[] = [];

/**
 * Has `undo` called when this process ends: done, failed, or told to end by a signal other than SIGKILL. What was set
 * up last is undone first, once no program that this process started is left to use it.
 */
export function atEnd(undo: () => void): void {
  undoings.push(undo);
}

/** Makes this process end in order, whatever ends it. To be called once, before anything is set up. */
export function endInOrder(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => exit(128 + constants.signals[signal]));
  }
  process.once('exit', () => {
    killDescendants(pid);
    for (const undo of undoings.reverse()) {
      try {
        undo();
      } catch (error) {
        console.error(error);
      }
    }
  });
}

function killDescendants(parent: number): void {
  for (const child of childrenOf(parent)) {
    killDescendants(child);
    try {
      kill(child, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

function childrenOf(parent: number): number[] {
  try {
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1');
    return children.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
