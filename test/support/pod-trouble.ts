import type { Event, Pod } from '../../src/kube/builtin-resources.ts';
import { keyOf, keyToString } from '../../src/kube/key.ts';

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

/** Why a pod is not as it should be. */
export interface PodTrouble {
  /** One sentence for people, with the pod's name. */
  readonly cause: string;
  /** The container whose log tells more; undefined where none has run. */
  readonly log?: {
    readonly container: string;
    /** Whether it is the log of the run before the present one that does. */
    readonly previous: boolean;
  };
}

/** Of a container that waits, the ordinary course; any other reason is a trouble. */
const ORDINARY = new Set(['ContainerCreating', 'PodInitializing', 'CrashLoopBackOff']);
/** Events that are told of where nothing else tells the cause. */
const MOST_EVENTS = 3;

/**
 * What is wrong with a pod; undefined where nothing is. What comes first on a pod's way is told: its scheduling, its
 * init containers, its containers in order.
 *
 * @param events of the pod's namespace, the oldest first
 */
export function podTrouble(pod: Pod, events: readonly Event[]): PodTrouble | undefined {
  const name = `Pod ${keyToString(keyOf(pod))}`;
  const { conditions = [], initContainerStatuses = [], containerStatuses = [], phase, message } = pod.status ?? {};
  if (phase === 'Succeeded') return undefined;
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    return { cause: `${name} cannot be scheduled: ${scheduled.message ?? 'no node fits'}` };
  }
  for (const container of [...initContainerStatuses, ...containerStatuses]) {
    const trouble = containerTrouble(container);
    if (trouble) return { ...trouble, cause: `${name}, container ${container.name}: ${trouble.cause}` };
  }
  if (phase === 'Failed') return { cause: `${name} has failed: ${message ?? 'it does not say why'}` };
  if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return undefined;
  const warnings = warningsAbout(keyOf(pod).name, events);
  const state = containerStatuses.some(({ state: at }) => at?.running) ? 'is not ready' : 'has not started';
  const cause = `${name} ${state}${warnings.length > 0 ? `: ${warnings.join('; ')}` : ''}`;
  const running = containerStatuses.find((container) => container.state?.running && !container.ready);
  return running ? { cause, log: { container: running.name, previous: false } } : { cause };
}

/** What the events warn of, once each, the latest last; of all objects but pods where no name is given. */
export function warningsAbout(pod: string | undefined, events: readonly Event[]): string[] {
  const messages = events
    .filter(({ type, involvedObject: { kind, name } }) => {
      return type === 'Warning' && (pod === undefined ? kind !== 'Pod' : kind === 'Pod' && name === pod);
    })
    .map(({ message }) => message?.trim())
    .filter((message) => message !== undefined);
  return [...new Set(messages)].slice(-MOST_EVENTS);
}

function containerTrouble({ name, state, lastState, ready }: ContainerStatus): PodTrouble | undefined {
  const { waiting, terminated } = state ?? {};
  if (waiting?.reason && !ORDINARY.has(waiting.reason)) {
    return { cause: `${waiting.reason}: ${waiting.message ?? 'without a message'}` };
  }
  if (terminated && terminated.exitCode !== 0) {
    return { cause: endOf(terminated), log: { container: name, previous: false } };
  }
  // A container that runs again and is ready has got over it.
  if (lastState?.terminated && !ready && !terminated) {
    return { cause: endOf(lastState.terminated), log: { container: name, previous: true } };
  }
  return undefined;
}

function endOf({ reason, exitCode, message }: { reason?: string; exitCode: number; message?: string }): string {
  const how = reason && reason !== 'Error' ? `${reason}, exit code ${exitCode}` : `exit code ${exitCode}`;
  return `it ended with ${how}${message ? ` (${message.trim()})` : ''}`;
}
