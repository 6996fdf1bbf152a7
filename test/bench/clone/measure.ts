import { rmSync } from 'node:fs';
import type { Log } from '../../cluster/commands.ts';
import { CloneRig } from '../../integration/copy/rig/clone-rig.ts';
import { dropCaches } from '../drop-caches.ts';
import { atEnd } from '../ending.ts';
import type { Case } from './cases.ts';
import { copy, type CopyFigures, copyInOneProcess } from './copy.ts';
import type { Ends } from './ends.ts';

export interface Measuring {
  readonly rounds: number;
  readonly ours: Ends;
  /** The same of another build. */
  readonly theirs: Ends | undefined;
  readonly log: Log;
}

/** What was measured of a case, round by round. */
export interface Measured {
  readonly name: string;
  /** Seconds that the usual tool took. */
  readonly reference: number[];
  readonly ours: CopyFigures[];
  /** Nothing where there is no other build. */
  readonly theirs: CopyFigures[];
  /** MB that have to be read and sent at least; undefined where that is the whole. */
  needed?: number | undefined;
}

/** Copies with the usual tool and with each build in turn; the one that begins is another one in each round. */
export async function measure(each: Case, { rounds, ours, theirs, log }: Measuring): Promise<Measured> {
  const measured: Measured = { name: each.name, reference: [], ours: [], theirs: [] };
  for (let round = 0; round < rounds; round += 1) {
    const rig = await CloneRig.create();
    atEnd(() => rmSync(rig.directory, { recursive: true, force: true }));
    atEnd(() => rig.devices.detach());
    try {
      const copied = await each.prepare(rig);
      measured.needed = copied.needed;
      await dropCaches();
      const began = performance.now();
      each.reference(rig, copied);
      measured.reference.push((performance.now() - began) / 1000);
      const copies: [Ends, CopyFigures[]][] = [[ours, measured.ours]];
      if (theirs) copies.push([theirs, measured.theirs]);
      for (const [program, figures] of round % 2 === 0 ? copies : copies.toReversed()) {
        await each.clear(rig, copied);
        await dropCaches();
        figures.push(await (each.inOnePod && program.copiesInOnePod ? copyInOneProcess : copy)(rig, program, copied));
        each.verify(rig, copied);
      }
    } finally {
      await rig.dispose();
    }
    const told = [measured.ours, measured.theirs].flatMap((runs) => runs.at(-1)?.seconds.toFixed(2) ?? []);
    log(`${each.name}, round ${round + 1}: ${measured.reference.at(-1)?.toFixed(2)} s; ${told.join(' s, ')} s`);
  }
  return measured;
}
