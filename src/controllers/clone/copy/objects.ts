import type { V1Affinity } from '@kubernetes/client-node';
import { ownerReference } from '../../../kube/apply.ts';
import type { PersistentVolumeClaim, Pod, Secret, Service } from '../../../kube/builtin-resources.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import { copySourcePodName, transferSecretName, uploadPodName } from '../../../protocol/object-names.ts';
import {
  ALLOCATED_RANGES_FILE,
  CHANGED_RANGES_FILE,
  COPY_PORT,
  COPY_SOURCE_REQUEST_VARIABLE,
  COPY_TARGET_REQUEST_VARIABLE,
  type CopySourceRequest,
  type CopyTargetRequest,
  OWNER_UID_VARIABLE,
  TRANSFER_TLS_DIRECTORY,
  type TransferTarget,
} from '../../../protocol/transfer-pod.ts';
import type { TransferCertificates } from '../../../server/certificates.ts';
import { workReadSinceAnnotation } from '../../objects/internal-annotations.ts';
import { marksFor } from '../../objects/made-for.ts';
import type { TransferSettings } from '../../runtime/settings.ts';
import { podTies } from '../../transfers/known-claim.ts';
import { type PodVolume, transferPod } from '../../transfers/transfer-pod.ts';
import { serverNameOf, TRANSFER_LABEL, transferServiceKey } from '../../transfers/transfer-service.ts';
import type { CloneSource } from '../source/source.ts';
import { holdsBase } from './changed-ranges.ts';

/** The names of the objects of one host-assisted clone. */
export interface HostCloneKeys {
  readonly sourcePod: ObjectKey;
  readonly targetPod: ObjectKey;
  readonly service: ObjectKey;
  /** The Secret with the keys of both ends, in the target's namespace. */
  readonly targetSecret: ObjectKey;
  /** The Secret with the source's keys only; the same as targetSecret where both ends are in one namespace. */
  readonly sourceSecret: ObjectKey;
}

/** Returns the names of all objects of the clone into a claim. */
export function hostCloneKeys(claim: PersistentVolumeClaim, sourceNamespace: string): HostCloneKeys {
  const { namespace, name } = keyOf(claim);
  const uid = claim.metadata?.uid ?? '';
  const secret = transferSecretName(uid);
  return {
    sourcePod: { namespace: sourceNamespace, name: copySourcePodName(uid) },
    targetPod: { namespace, name: uploadPodName(name) },
    service: transferServiceKey(claim),
    targetSecret: { namespace, name: secret },
    sourceSecret: { namespace: sourceNamespace, name: secret },
  };
}

const opaqueSecret = { apiVersion: 'v1', kind: 'Secret', type: 'Opaque' } as const;

const SERVER_FILES = { 'ca.crt': 'ca.crt', 'server.crt': 'tls.crt', 'server.key': 'tls.key' };
/** Beside the source's keys, where the target holds an earlier copy; empty where everything is sent. */
const RANGES_FILES = { [CHANGED_RANGES_FILE]: CHANGED_RANGES_FILE };
/** Beside the source's keys, where they are made for a Block volume; empty where everything is read. */
const ALLOCATED_FILES = { [ALLOCATED_RANGES_FILE]: ALLOCATED_RANGES_FILE };
const CLIENT_FILES = { 'ca.crt': 'ca.crt', 'client.crt': 'tls.crt', 'client.key': 'tls.key' };

/** Returns the Secret with the keys of both ends. */
export function targetSecret(
  claim: PersistentVolumeClaim,
  keys: HostCloneKeys,
  certificates: TransferCertificates,
  ranges: RangesOfCopy = {},
): Secret {
  return {
    ...opaqueSecret,
    metadata: { ...keys.targetSecret, ...marksFor(claim), ownerReferences: [ownerReference(claim)] },
    stringData: {
      ...clientData(certificates, ranges),
      'server.crt': certificates.server.certificate,
      'server.key': certificates.server.key,
    },
  };
}

/** Returns the source's part of the target's Secret, for another namespace. */
export function sourceSecret(
  claim: PersistentVolumeClaim,
  keys: HostCloneKeys,
  certificates: TransferCertificates,
  ranges: RangesOfCopy = {},
): Secret {
  return {
    ...opaqueSecret,
    metadata: { ...keys.sourceSecret, ...marksFor(claim) },
    stringData: clientData(certificates, ranges),
  };
}

function clientData({ ca, client }: TransferCertificates, ranges: RangesOfCopy): Record<string, string> {
  return { 'ca.crt': ca, 'client.crt': client.certificate, 'client.key': client.key, ...rangesIn(ranges) };
}

/** Returns the documents by the names of their files. */
export function rangesIn({ changed, allocated }: RangesOfCopy): Record<string, string> {
  return {
    ...(changed !== undefined && { [CHANGED_RANGES_FILE]: changed }),
    ...(allocated !== undefined && { [ALLOCATED_RANGES_FILE]: allocated }),
  };
}

/** The documents that a source pod is given, where there are any. */
export interface RangesOfCopy {
  /** What has changed since the copy that the target was restored from; empty where everything is sent. */
  readonly changed?: string | undefined;
  /** What is allocated of a Block volume; empty where everything is read. */
  readonly allocated?: string | undefined;
}

/** The claim that is copied, and the Service through which its pod reaches the copy server. */
export interface SourceEnd extends CloneSource {
  /** Annotations of the source claim. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly service: Service;
  /** Whether the Secret, which cannot be read, is known to have the document of what has changed, or is allocated. */
  readonly knowsChanged: boolean;
  readonly knowsAllocated: boolean;
}

export function sourcePod(
  claim: PersistentVolumeClaim,
  keys: HostCloneKeys,
  source: SourceEnd,
  target: TransferTarget,
  settings: TransferSettings,
  restarts: number,
): Pod {
  const serverName = serverNameOf(keys.service);
  const request: CopySourceRequest = {
    volumeMode: source.volumeMode,
    contentType: target.contentType,
    // The address is used instead of the name: where the name was looked up too early, the DNS caches that it does not
    // exist.
    server: source.service.spec?.clusterIP ?? serverName,
    serverName,
    transfer: transferOf(claim, source),
  };
  const sameNamespace = keys.sourcePod.namespace === keyOf(claim).namespace;
  return transferPod(
    {
      ...keys.sourcePod,
      role: 'copy-source',
      env: { [COPY_SOURCE_REQUEST_VARIABLE]: JSON.stringify(request), [OWNER_UID_VARIABLE]: claim.metadata?.uid ?? '' },
      claim: { name: source.key.name, volumeMode: source.volumeMode, readOnly: true },
      mounts: [
        tlsMount(keys.sourceSecret, {
          ...CLIENT_FILES,
          ...(source.knowsChanged && RANGES_FILES),
          ...(source.knowsAllocated && ALLOCATED_FILES),
        }),
      ],
      // The author of a claim in another namespace may have no right to shape pods in the source's namespace.
      claimAnnotations: sameNamespace ? (claim.metadata?.annotations ?? {}) : source.annotations,
      worksFor: claim,
      restarts,
      labels: { [TRANSFER_LABEL]: claim.metadata?.uid ?? '' },
      affinity: together(claim, keys),
      ...(sameNamespace ? podTies(claim) : {}),
    },
    settings,
  );
}

/**
 * Returns what identifies a copy, whichever pods make it: it is resumed only between the same volumes, and only if the
 * source was not found in use between two pods.
 */
export function transferOf(claim: PersistentVolumeClaim, source: Pick<CloneSource, 'uid'>): string {
  const { uid, annotations } = claim.metadata ?? {};
  return [source.uid, uid, annotations?.[workReadSinceAnnotation]].filter((part) => part !== undefined).join(' ');
}

export function targetPod(
  claim: PersistentVolumeClaim,
  keys: HostCloneKeys,
  target: TransferTarget,
  settings: TransferSettings,
  restarts: number,
): Pod {
  const request: CopyTargetRequest = { target, ...(holdsBase(claim) && { holdsBase: true }) };
  return transferPod(
    {
      ...keys.targetPod,
      role: 'copy-target',
      env: { [COPY_TARGET_REQUEST_VARIABLE]: JSON.stringify(request), [OWNER_UID_VARIABLE]: claim.metadata?.uid ?? '' },
      claim: { name: keyOf(claim).name, volumeMode: target.volumeMode, readOnly: false },
      mounts: [tlsMount(keys.targetSecret, SERVER_FILES)],
      claimAnnotations: claim.metadata?.annotations ?? {},
      worksFor: claim,
      restarts,
      labels: { [TRANSFER_LABEL]: claim.metadata?.uid ?? '' },
      affinity: together(claim, keys),
      ...podTies(claim),
      ports: [{ name: 'copy', containerPort: COPY_PORT }],
    },
    settings,
  );
}

function tlsMount(secret: ObjectKey, files: Readonly<Record<string, string>>): { volume: PodVolume; path: string } {
  const items = Object.entries(files).map(([key, path]) => ({ key, path }));
  return {
    volume: { name: 'tls', secret: { secretName: secret.name, defaultMode: 0o440, items } },
    path: TRANSFER_TLS_DIRECTORY,
  };
}

/** Returns the mount of a Secret that has documents of ranges and no keys. */
export function rangesMount(secret: ObjectKey, ranges: RangesOfCopy): { volume: PodVolume; path: string } {
  const names = Object.keys(rangesIn(ranges));
  return tlsMount(secret, Object.fromEntries(names.map((name) => [name, name])));
}

/**
 * Returns an affinity that puts both pods on one node where the volumes allow it, so that the data need not cross the
 * network.
 */
function together(claim: PersistentVolumeClaim, keys: HostCloneKeys): V1Affinity {
  return {
    podAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            labelSelector: { matchLabels: { [TRANSFER_LABEL]: claim.metadata?.uid ?? '' } },
            namespaces: [...new Set([keys.sourcePod.namespace, keys.targetPod.namespace])],
            topologyKey: 'kubernetes.io/hostname',
          },
        },
      ],
    },
  };
}
