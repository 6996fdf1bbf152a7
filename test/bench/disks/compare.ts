import { rm } from 'node:fs/promises';
import { run } from '../../cluster/commands.ts';
import { measure, type Measured, type Measurement } from '../import/measure.ts';
import type { Volume } from '../import/volume.ts';

const MEGABYTE = 1e6;

export interface Comparison {
  volume: Volume;
  rounds: number;
  ours: Measured;
  /** What it is compared with, by its name in the table. */
  reference: { name: string; run: () => Promise<Measurement> };
  /** The file that both write, and what it has to read as. */
  target: string;
  expected: string;
  log: (line: string) => void;
}

/** Measures an import in turn with what it is compared with, checks what each has written, and returns a table. */
export async function compare({ volume, rounds, ours, reference, target, expected, log }: Comparison): Promise<string> {
  const [own, other]: [Measurement[], Measurement[]] = [[], []];
  const checked = async (measurement: Promise<Measurement>): Promise<Measurement> => {
    const done = await measurement;
    await run('qemu-img', ['compare', '-q', '-f', 'raw', '-F', 'raw', target, expected]);
    await rm(target);
    return done;
  };
  for (let round = 1; round <= rounds; round += 1) {
    own.push(await checked(measure(volume, ours)));
    other.push(await checked(reference.run()));
    log(`round ${round}: ${told(own.at(-1))}; ${reference.name}: ${told(other.at(-1))}`);
  }
  return table(own, other, reference.name);
}

function told(measurement: Measurement | undefined): string {
  const { seconds = NaN, processor = NaN, memory = NaN } = measurement ?? {};
  return `${seconds.toFixed(2)} s, processor ${processor.toFixed(2)} s, ${Math.round(memory / MEGABYTE)} MB`;
}

function table(own: Measurement[], other: Measurement[], name: string): string {
  const middle = (of: Measurement[], what: keyof Measurement) =>
    of.map((each) => each[what]).toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN;
  const [seconds, seconds2] = [middle(own, 'seconds'), middle(other, 'seconds')];
  const cells = [
    seconds.toFixed(1),
    seconds2.toFixed(1),
    (seconds / seconds2).toFixed(2),
    middle(own, 'processor').toFixed(1),
    middle(other, 'processor').toFixed(1),
    Math.round(Math.max(...own.map(({ memory }) => memory)) / MEGABYTE).toString(),
  ];
  return [
    `| seconds | ${name} | ratio | processor, s | of ${name} | memory, MB |`,
    '| --- | --- | --- | --- | --- | --- |',
    `| ${cells.join(' | ')} |`,
  ].join('\n');
}
