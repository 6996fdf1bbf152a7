import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPrerequisites } from '../../cluster/index.ts';
import { count } from '../../support/command-line.ts';
import { kindsOfData } from '../../support/disk-data.ts';
import { startRegistry } from '../../support/registry.ts';
import { startWebServer } from '../../support/web-server.ts';
import { type Build, buildOf, ownBuild } from '../against/build.ts';
import { againstOption, benchCommand, severalOf, smallOption } from '../command-line.ts';
import { atEnd } from '../ending.ts';
import { type BenchData, BenchImages, imagesFolder, smallDisk, wholeDisk } from '../images.ts';
import { type Laboratory, measureRow } from './measure-row.ts';
import { rows } from './rows.ts';
import { measureStartUp } from './start-up.ts';
import { report, reportAgainst, reportStartUp, type Result } from './table.ts';
import { createVolume } from './volume.ts';

interface Options {
  rows?: string[];
  data?: BenchData[];
  runs: number;
  small: boolean;
  against?: string;
}

const START_UP = 'start-up';
const FILES = 'files';
const kinds: BenchData[] = [FILES, ...kindsOfData];
const log = (line: string) => console.error(line);

/** Imports every kind of image, and the same with the usual tools, in turn. */
export async function importing(args: string[]): Promise<number> {
  const names = [...rows.map(({ name }) => name), START_UP];
  const {
    rows: wanted = names,
    data = [FILES],
    ...given
  } = benchCommand('import', 'Imports every kind of image.')
    .addOption(severalOf('--rows', 'which to measure; otherwise all', names))
    .addOption(severalOf('--data', 'what disks are full of; rows with data of their own keep it', kinds))
    .option('--runs <count>', 'of each, and of its reference', count, 3)
    .addOption(smallOption())
    .addOption(againstOption())
    .parse(args, { from: 'user' })
    .opts<Options>();
  const { runs, small, against } = given;
  await installPrerequisites(log);
  const other = against === undefined ? undefined : await buildOf(against, log);
  const imagesOf = (kind: BenchData) => new BenchImages(small ? smallDisk : wholeDisk, kind, log);
  const laboratory = await setUp(imagesOf, await ownBuild(), other);
  const results: Result[] = [];
  for (const row of rows) {
    if (!wanted.includes(row.name)) continue;
    for (const kind of row.data === undefined ? data : [row.data]) {
      results.push(await measureRow(row, kind, runs, laboratory));
    }
  }
  if (results.length > 0) console.log(report(results));
  if (results.length > 0 && other) console.log(`\n${reportAgainst(other.name, results)}`);
  if (wanted.includes(START_UP)) console.log(reportStartUp(await measureStartUp(laboratory.volume, runs)));
  return 0;
}

/** All of it goes when this process ends. */
async function setUp(imagesOf: Laboratory['imagesOf'], build: Build, other: Build | undefined): Promise<Laboratory> {
  const address = '127.0.0.1';
  await mkdir(imagesFolder(), { recursive: true });
  const state = await mkdtemp(join(process.env.DISKPRESS_BENCH_FOLDER ?? tmpdir(), 'diskpress-bench-'));
  atEnd(() => rmSync(state, { recursive: true, force: true }));
  const volume = await createVolume(state);
  const web = await startWebServer({ address, state, root: imagesFolder() });
  const registry = await startRegistry({ address, state });
  return { imagesOf, volume, web, registry, build, other, log };
}
