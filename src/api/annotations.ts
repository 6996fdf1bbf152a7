const cdi = <const Name extends string>(name: Name) => `cdi.kubevirt.io/${name}` as const;

/** Set by users on a DataVolume, and copied from it to its claim. */
export const userAnnotation = {
  /** "true": do not wait for the first consumer of a WaitForFirstConsumer claim. */
  bindImmediateRequested: cdi('storage.bind.immediate.requested'),
  /** "false" selects direct population: the target claim itself is written. */
  usePopulator: cdi('storage.usePopulator'),
  /** "true": keep the transfer pods when they have finished. */
  podRetainAfterCompletion: cdi('storage.pod.retainAfterCompletion'),
  /** "true": take over an existing claim of the DataVolume's name. */
  allowClaimAdoption: cdi('allowClaimAdoption'),
  /** "true": delete the DataVolume when it has succeeded. */
  deleteAfterCompletion: cdi('storage.deleteAfterCompletion'),
  /** Present: a volume that is reserved for the claim is bound, with its data as it is. */
  checkStaticVolume: cdi('storage.checkStaticVolume'),
  /** "true": a clone's content type and volume mode need not match the source's. */
  permissiveClone: cdi('permissiveClone'),
  /** "raw": what is imported is a raw disk, whatever it looks like. */
  importFormat: cdi('storage.import.format'),
  /** On a VolumeSnapshot: the volume mode of the claim that it was taken of. */
  sourceVolumeMode: cdi('storage.import.sourceVolumeMode'),
  podNetworks: 'k8s.v1.cni.cncf.io/networks',
  podDefaultNetwork: 'v1.multus-cni.io/default-network',
  /** Transfer pods default to "false". */
  istioInject: 'sidecar.istio.io/inject',
  /** Transfer pods default to "disabled". */
  linkerdInject: 'linkerd.io/inject',
  podPriorityClassName: cdi('storage.pod.priorityclassname'),
  podServiceAccountName: cdi('storage.pod.serviceAccountName'),
} as const;

/** What drives a claim's direct population, with or without a DataVolume. */
export const populationAnnotation = {
  /** One of {@link import('./sources.ts').ClaimImportSource}. */
  importSource: cdi('storage.import.source'),
  importEndpoint: cdi('storage.import.endpoint'),
  importSecretName: cdi('storage.import.secretName'),
  importCertConfigMap: cdi('storage.import.certConfigMap'),
  importDiskId: cdi('storage.import.diskId'),
  /** Followed by `.N`, N counted from 0. */
  importExtraHeadersPrefix: cdi('storage.import.extraHeaders'),
  /** Followed by `.N`, N counted from 0. */
  importSecretExtraHeadersPrefix: cdi('storage.import.secretExtraHeaders'),
  importChecksum: cdi('storage.import.checksum'),
  importRegistryImportMethod: cdi('storage.import.registryImportMethod'),
  importRegistryImageStream: cdi('storage.import.registryImageStream'),
  importRegistryImageArchitecture: cdi('storage.import.registryImageArchitecture'),
  importInsecureSkipVerify: cdi('storage.import.insecureSkipVerify'),
  contentType: cdi('storage.contentType'),
  preallocationRequested: cdi('storage.preallocation.requested'),
  /** `namespace/name` of the claim to clone. */
  cloneRequest: 'k8s.io/CloneRequest',
  /** Present, with any value, on a claim that waits for an upload. */
  uploadTarget: cdi('storage.upload.target'),
} as const;

/** Written by the controllers, and read by clients. */
export const stateAnnotation = {
  /** Phase of the pod that writes the claim. */
  podPhase: cdi('storage.pod.phase'),
  podReady: cdi('storage.pod.ready'),
  podRestarts: cdi('storage.pod.restarts'),
  conditionBound: cdi('storage.condition.bound'),
  conditionBoundMessage: cdi('storage.condition.bound.message'),
  conditionBoundReason: cdi('storage.condition.bound.reason'),
  conditionRunning: cdi('storage.condition.running'),
  conditionRunningMessage: cdi('storage.condition.running.message'),
  conditionRunningReason: cdi('storage.condition.running.reason'),
  /** Name of the DataVolume that a claim was populated for. */
  populatedFor: cdi('storage.populatedFor'),
  populatorKind: cdi('storage.populator.kind'),
  populatorProgress: cdi('storage.populator.progress'),
  /** Name of the working claim. */
  populatorPvcPrime: cdi('storage.populator.pvcPrime'),
  importPodName: cdi('storage.import.importPodName'),
  uploadPodName: cdi('storage.uploadPodName'),
  requiresScratch: cdi('storage.import.requiresScratch'),
  fatalError: cdi('storage.import.fatalError'),
  preallocation: cdi('storage.preallocation'),
  /**
   * One of {@link import('./clone.ts').CloneType}: how it was cloned, on a claim and its DataVolume. On a claim that is not being cloned into
   * yet, what its author wishes.
   */
  cloneType: cdi('cloneType'),
  /** One of {@link import('./clone.ts').ClonePhase}. */
  clonePhase: cdi('clonePhase'),
  /** One of {@link import('./clone.ts').CloneFallbackReason}. */
  cloneFallbackReason: cdi('cloneFallbackReason'),
  /** UID of the DataVolume that an object was created for. */
  createdForDataVolume: cdi('createdForDataVolume'),
  ownerUid: cdi('ownerUID'),
  /** On a claim or VolumeCloneSource: the namespace of the clone's source, where it is another one. */
  dataSourceNamespace: cdi('dataSourceNamespace'),
  cloneToken: cdi('storage.clone.token'),
  extendedCloneToken: cdi('storage.extended.clone.token'),
  externalPopulation: cdi('externalPopulation'),
  checkpointPrevious: cdi('storage.checkpoint.previous'),
  checkpointCurrent: cdi('storage.checkpoint.current'),
  checkpointFinal: cdi('storage.checkpoint.final'),
  /** Followed by `.ID`, the checkpoint that was copied. */
  checkpointCopiedPrefix: cdi('storage.checkpoint.copied'),
  checkpointDone: cdi('storage.checkpoint.done'),
  /** "true" on a claim that has been cloned completely. */
  cloneOf: 'k8s.io/CloneOf',
} as const;

/** On a DataVolume, but never on its claim: written by users and backup tools, and by the controllers where a claim has been taken over. */
export const dataVolumeAnnotation = {
  /** Present, with the claim's name: the claim is there already or will be, with its data; nothing is made. */
  prePopulated: cdi('storage.prePopulated'),
} as const;

/** Read on a StorageClass. */
export const storageClassAnnotation = {
  isDefaultClass: 'storageclass.kubernetes.io/is-default-class',
  /** Wins over isDefaultClass for content of type kubevirt. */
  isDefaultVirtClass: 'storageclass.kubevirt.io/is-default-virt-class',
  /** One of {@link import('./clone.ts').CloneType}; what the StorageProfile's spec says wins. */
  cloneStrategy: cdi('clone-strategy'),
} as const;

/** Read on a VolumeSnapshotClass. */
export const snapshotClassAnnotation = {
  isDefaultClass: 'snapshot.storage.kubernetes.io/is-default-class',
} as const;

/** Read on a StorageProfile. */
export const storageProfileAnnotation = {
  /** A quantity: claims of the class are made at least this large. */
  minimumSupportedPvcSize: cdi('minimumSupportedPvcSize'),
  useReadWriteOnceForDataImportCron: cdi('useReadWriteOnceForDataImportCron'),
  snapshotClassForDataImportCron: cdi('snapshotClassForDataImportCron'),
} as const;
