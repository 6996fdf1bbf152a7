import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { dataVolumes } from '../../../src/api/data-volume.ts';
import { persistentVolumeClaims } from '../../../src/kube/builtin-resources.ts';
import { type Environment, prepareEnvironment } from '../../support/environment.ts';
import { createNamespace, removeNamespace } from '../../support/namespaces.ts';
import { until } from '../../support/until.ts';
import { startWebServer, webPath } from '../../support/web-server.ts';
import { ownBuild } from '../against/build.ts';
import { benchCommand, roundsOption, severalOf, smallOption } from '../command-line.ts';
import { dropCaches } from '../drop-caches.ts';
import { atEnd } from '../ending.ts';
import { BenchImages, type ImageName, smallDisk, wholeDisk } from '../images.ts';
import { measure } from '../import/measure.ts';
import { createVolume, type Volume } from '../import/volume.ts';
import { middle, table } from '../table.ts';
import { importInPod, type PodSeconds } from './import-in-pod.ts';

/** What is imported, by the name of its row. */
const rows: Readonly<Record<string, ImageName>> = { 'qcow2-zlib': 'disk.zlib.qcow2', 'raw.gz': 'disk.img.gz' };

/** What the import in a pod may take of the time of the command line, and seconds on top of that. */
const FACTOR = 1.15;
const EXTRA_SECONDS = 3;
/** What a claim needs for a disk and its file system, as a share of the disk. */
const ROOM = 1.125;
const MEBIBYTE = 2 ** 20;

interface Options {
  readonly rows?: string[];
  readonly rounds: number;
  readonly small: boolean;
}

/** Where the same image is imported in both ways. */
interface Laboratory {
  readonly environment: Environment;
  readonly namespace: string;
  /** A file system as the cluster's volumes are. */
  readonly volume: Volume;
  /** The command line, as a program and its arguments. */
  readonly importer: readonly string[];
  readonly url: string;
  /** Of the claim, as a quantity. */
  readonly size: string;
}

interface Round {
  /** Seconds of the command line. */
  readonly alone: number;
  readonly pod: PodSeconds;
}

/**
 * Measures imports over http on the test cluster, from the creation of a DataVolume until it has succeeded, with all
 * settings as they are by default, in turn with the command line on this machine, which writes to the same kind of file
 * system.
 *
 * @returns the exit code: 0, or 1 where an import took longer than it may
 */
export async function podsBench(args: string[]): Promise<number> {
  const given = benchCommand('pods', 'Imports into DataVolumes, and by the command line.')
    .addOption(severalOf('--rows', 'which to measure; otherwise all', Object.keys(rows)))
    .addOption(roundsOption(3))
    .addOption(smallOption())
    .parse(args, { from: 'user' });
  const { rows: wanted = Object.keys(rows), rounds, small } = given.opts<Options>();
  const log = (line: string): void => console.error(line);
  const environment = await prepareEnvironment(log);
  const { folder } = await ownBuild();
  const images = new BenchImages(small ? smallDisk : wholeDisk, 'files', log);
  const state = await mkdtemp(join(process.env.DISKPRESS_BENCH_FOLDER ?? tmpdir(), 'diskpress-bench-'));
  atEnd(() => rmSync(state, { recursive: true, force: true }));
  const volume = await createVolume(state);
  const size = `${Math.ceil((images.dimensions.virtualSize / MEBIBYTE) * ROOM)}Mi`;
  const web = await startWebServer({ address: environment.hostAddress, state, root: images.folder });
  const namespace = await createNamespace(environment.client, { prefix: 'bench' });
  const measured = new Map<string, Round[]>();
  try {
    for (const name of wanted) {
      const image = rows[name] as ImageName;
      await images.path(image);
      const url = `${web.url}${webPath.plain}/${image}`;
      const importer = [execPath, join(folder, 'dist/main.js'), 'import', url];
      const done: Round[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        done.push(await measureRound({ environment, namespace, volume, importer, url, size }));
        const { alone, pod } = done.at(-1) as Round;
        log(
          `${name}, round ${round} of ${rounds}: ${pod.total.toFixed(2)} s, on the command line ${alone.toFixed(2)} s`,
        );
      }
      measured.set(name, done);
    }
  } finally {
    await removeNamespace(environment.client, namespace);
    await web.stop();
  }
  console.log(report(measured));
  return [...measured.values()].some((done) => middle(done.map(excess)) > 0) ? 1 : 0;
}

async function measureRound({ environment, namespace, volume, importer, url, size }: Laboratory): Promise<Round> {
  const { client, classes } = environment;
  const [program = '', ...args] = importer;
  const target = join(volume.folder, 'disk.img');
  const { seconds: alone } = await measure(volume, { program, args: [...args, target] });
  await rm(target);
  await dropCaches();
  const key = { namespace, name: 'imported' };
  const pod = await importInPod(client, key, url, { storageClassName: classes.standard, size });
  await client.delete(dataVolumes, key);
  await until(client, persistentVolumeClaims, key, 'its claim is gone', (claim) => claim === undefined);
  return { alone, pod };
}

/** Seconds that the import in the pod took more than it may. */
const excess = ({ alone, pod }: Round): number => pod.total - (alone * FACTOR + EXTRA_SECONDS);

function report(measured: ReadonlyMap<string, readonly Round[]>): string {
  const lines = [...measured].map(([name, rounds]) => {
    const seconds = (of: (round: Round) => number) => middle(rounds.map(of)).toFixed(1);
    return [
      name,
      seconds(({ pod }) => pod.total),
      seconds(({ alone }) => alone),
      seconds(({ alone }) => alone * FACTOR + EXTRA_SECONDS),
      ...[
        seconds(({ pod }) => pod.untilPod),
        seconds(({ pod }) => pod.untilRunning),
        seconds(({ pod }) => pod.running),
        seconds(({ pod }) => pod.afterwards),
      ],
    ];
  });
  const parts = ['until the pod is there', 'until it runs', 'until it has ended', 'until Succeeded'];
  return table(['import', 'in a pod, s', 'command line, s', 'at most, s', ...parts], lines);
}
