import type { Event, Pod } from '../../src/kube/builtin-resources.ts';
import type { Log } from '../cluster/commands.ts';
import { tellingLines } from '../cluster/telling-lines.ts';
import type { Kubectl } from './kubectl.ts';
import { type PodTrouble, podTrouble, warningsAbout } from './pod-trouble.ts';

/** Of a log. */
const MOST_LINES = 12;

/** Says of every pod in a namespace that is not as it should be why, with the last lines of the log that tells it. */
export async function tellPodTroubles(kubectl: Kubectl, namespace: string, log: Log): Promise<void> {
  const inNamespace = `--namespace=${namespace}`;
  const list = async <T>(kind: string, ...args: string[]): Promise<T[]> => {
    return (JSON.parse(await kubectl.run(inNamespace, 'get', kind, '-o', 'json', ...args)) as { items: T[] }).items;
  };
  const events = await list<Event>('events', '--sort-by=.metadata.creationTimestamp');
  const pods = await list<Pod>('pods');
  const troubled = pods.flatMap((pod) => {
    const trouble = podTrouble(pod, events);
    return trouble ? [{ pod, trouble }] : [];
  });
  for (const { pod, trouble } of troubled) {
    log(trouble.cause);
    for (const line of await logOf(kubectl, inNamespace, pod, trouble)) log(`  | ${line}`);
  }
  // A pod that could not even be made is told of by who should have made it.
  if (troubled.length === 0) for (const warning of warningsAbout(undefined, events)) log(`${namespace}: ${warning}`);
}

async function logOf(kubectl: Kubectl, inNamespace: string, pod: Pod, { log }: PodTrouble): Promise<string[]> {
  if (log === undefined) return [];
  const previous = log.previous ? ['--previous'] : [];
  const args = [inNamespace, 'logs', pod.metadata?.name ?? '', `--container=${log.container}`, ...previous];
  return tellingLines(await kubectl.told(...args, '--tail=200'), MOST_LINES);
}
