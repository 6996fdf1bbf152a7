import { claimOutlooks } from './claims.ts';
import type { Contents } from './contents.ts';
import { dataVolumeOutlooks } from './data-volumes.ts';
import { fates, type Outlook, outlook } from './fate.ts';
import { installationOutlooks } from './installation.ts';

/** Returns what becomes of everything in a cluster of CDI, what is blocked first. Pure. */
export function outlooksFor(contents: Contents): Outlook[] {
  const all = [
    ...installationOutlooks(contents),
    ...dataVolumeOutlooks(contents),
    ...claimOutlooks(contents),
    ...contents.dataImportCrons.map((cron) =>
      outlook(
        cron,
        'DataImportCron',
        'goes on',
        'its next image is looked for by Diskpress; those that it has are kept',
      ),
    ),
    ...contents.dataSources.map((each) => outlook(each, 'DataSource', 'kept', 'refers to what it did')),
    ...contents.storageProfiles.map((each) =>
      outlook(each, 'StorageProfile', 'kept', 'its spec applies; its status is found out anew'),
    ),
    ...contents.objectTransfers.map((each) =>
      each.status?.phase === 'Complete'
        ? outlook(each, 'ObjectTransfer', 'kept', 'is complete, and nobody needs it any more')
        : outlook(each, 'ObjectTransfer', 'blocked', 'would not go on: wait until it is complete, or delete it'),
    ),
  ];
  const rank = ({ fate }: Outlook) => -fates.indexOf(fate);
  return all.sort((one, other) => rank(one) - rank(other) || textOf(one).localeCompare(textOf(other)));
}

function textOf({ kind, namespace, name }: Outlook): string {
  return `${kind} ${namespace} ${name}`;
}
