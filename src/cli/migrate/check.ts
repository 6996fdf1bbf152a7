import { readContents } from '../../controllers/takeover/contents.ts';
import { type Fate, type Outlook, summaryOf } from '../../controllers/takeover/fate.ts';
import { outlooksFor } from '../../controllers/takeover/outlooks.ts';
import { connect } from '../../kube/connect.ts';
import { print, printLines } from '../output.ts';

export interface MigrateOptions {
  readonly output?: 'json';
}

/**
 * Writes what becomes of the objects of a cluster, in the current context of the kubeconfig, when Diskpress takes the
 * place of CDI. Nothing is written to the cluster.
 *
 * @returns whether nothing is in the way
 * @throws Error if the cluster does not answer, or denies access to this user
 */
export async function checkMigration({ output }: MigrateOptions, signal: AbortSignal): Promise<boolean> {
  const { client } = connect('diskpress-cli');
  try {
    const outlooks = outlooksFor(await readContents(client, signal));
    const summary = summaryOf(outlooks);
    if (output === 'json') print({ ready: summary.blocked === 0, summary, objects: outlooks });
    else printLines([...outlooks.map(lineOf), ...(outlooks.length > 0 ? [''] : []), sentenceOf(summary)]);
    return summary.blocked === 0;
  } finally {
    await client.close();
  }
}

function lineOf({ fate, kind, namespace, name, why }: Outlook): string {
  return `${fate.padEnd('starts again'.length)}  ${kind} ${namespace ? `${namespace}/` : ''}${name}: ${why}`;
}

function sentenceOf(summary: Readonly<Record<Fate, number>>): string {
  const counts = Object.entries(summary).map(([fate, count]) => `${count} ${fate}`);
  const next =
    summary.blocked > 0 ? 'Do what the blocked ones ask for, and check again.' : 'Nothing is in the way of Diskpress.';
  return `${counts.join(', ')}. ${next}`;
}
