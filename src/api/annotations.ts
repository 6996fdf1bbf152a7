const cdi = <const Name extends string>(name: Name) => `cdi.kubevirt.io/${name}` as const;

/** Annotations that users set on a DataVolume, and that are copied from it to its claim. */
export const userAnnotation = {
  /** "true": the claim does not wait for its first consumer, even if it is WaitForFirstConsumer. */
  bindImmediateRequested: cdi('storage.bind.immediate.requested'),
  /** "false" selects direct population: the target claim itself is written. */
  usePopulator: cdi('storage.usePopulator'),
  /** "true": the transfer pods are kept after they have finished. */
  podRetainAfterCompletion: cdi('storage.pod.retainAfterCompletion'),
  /** "true": an existing claim of the DataVolume's name is adopted. */
  allowClaimAdoption: cdi('allowClaimAdoption'),
  /** "true": the DataVolume is deleted after it has succeeded. */
  deleteAfterCompletion: cdi('storage.deleteAfterCompletion'),
  /** Present: a volume that is reserved for the claim is bound, and its data is left as it is. */
  checkStaticVolume: cdi('storage.checkStaticVolume'),
  /** "true": a clone's content type and volume mode need not match those of the source. */
  permissiveClone: cdi('permissiveClone'),
  /** "full": a clone that is copied reads all of its source, not only what its driver says is allocated. */
  verifyClone: cdi('storage.clone.verify'),
  /**
   * "true", on the source of clones: snapshots of it are kept, so that the next copy into the same storage class sends
   * only what has changed.
   */
  incrementalClone: cdi('storage.clone.incremental'),
  /** "raw": the imported data is a raw disk, whatever its content looks like. */
  importFormat: cdi('storage.import.format'),
  /** The container image with the VDDK library. */
  vddkInitImageUrl: cdi('storage.pod.vddk.initimageurl'),
  /** On a VolumeSnapshot: the volume mode of the claim that it was taken from. */
  sourceVolumeMode: cdi('storage.import.sourceVolumeMode'),
  podNetworks: 'k8s.v1.cni.cncf.io/networks',
  podDefaultNetwork: 'v1.multus-cni.io/default-network',
  /** Istio's sidecar injection; transfer pods default to "false". */
  istioInject: 'sidecar.istio.io/inject',
  /** Linkerd's sidecar injection; transfer pods default to "disabled". */
  linkerdInject: 'linkerd.io/inject',
  podPriorityClassName: cdi('storage.pod.priorityclassname'),
  podServiceAccountName: cdi('storage.pod.serviceAccountName'),
  /** JSON object of the labels of the nodes on which a pod that imports or takes an upload may run. */
  podNodeSelector: cdi('storage.pod.nodeSelector'),
} as const;

/** Annotations that request the direct population of a claim, with or without a DataVolume. */
export const populationAnnotation = {
  /** The source to import, one of {@link import('./sources.ts').ClaimImportSource}. */
  importSource: cdi('storage.import.source'),
  importEndpoint: cdi('storage.import.endpoint'),
  importSecretName: cdi('storage.import.secretName'),
  importCertConfigMap: cdi('storage.import.certConfigMap'),
  importDiskId: cdi('storage.import.diskId'),
  /** Prefix that is followed by `.N`, with N counted from 0. */
  importExtraHeadersPrefix: cdi('storage.import.extraHeaders'),
  /** Prefix that is followed by `.N`, with N counted from 0. */
  importSecretExtraHeadersPrefix: cdi('storage.import.secretExtraHeaders'),
  importChecksum: cdi('storage.import.checksum'),
  importRegistryImportMethod: cdi('storage.import.registryImportMethod'),
  importRegistryImageStream: cdi('storage.import.registryImageStream'),
  importRegistryImageArchitecture: cdi('storage.import.registryImageArchitecture'),
  importInsecureSkipVerify: cdi('storage.import.insecureSkipVerify'),
  importUuid: cdi('storage.import.uuid'),
  importBackingFile: cdi('storage.import.backingFile'),
  importVddkThumbprint: cdi('storage.import.vddk.thumbprint'),
  vddkExtraArgs: cdi('storage.pod.vddk.extraargs'),
  contentType: cdi('storage.contentType'),
  preallocationRequested: cdi('storage.preallocation.requested'),
  /** `namespace/name` of the claim to clone. */
  cloneRequest: 'k8s.io/CloneRequest',
  /** Present, with any value, on a claim that waits for an upload. */
  uploadTarget: cdi('storage.upload.target'),
} as const;

/** Annotations that the controllers write and clients read. */
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
  /** The host that has served a disk of VMware. */
  vddkHost: cdi('storage.pod.vddk.host'),
  /** The version of the library that has read it. */
  vddkVersion: cdi('storage.pod.vddk.version'),
  requiresScratch: cdi('storage.import.requiresScratch'),
  fatalError: cdi('storage.import.fatalError'),
  preallocation: cdi('storage.preallocation'),
  /**
   * One of {@link import('./clone.ts').CloneType}: how a claim was cloned, on the claim and its DataVolume. On a claim
   * whose clone has not begun, it is the preference of the claim's author.
   */
  cloneType: cdi('cloneType'),
  /** The phase of the clone, one of {@link import('./clone.ts').ClonePhase}. */
  clonePhase: cdi('clonePhase'),
  /** The reason of a fallback to a copy, one of {@link import('./clone.ts').CloneFallbackReason}. */
  cloneFallbackReason: cdi('cloneFallbackReason'),
  /** UID of the DataVolume that an object was created for. */
  createdForDataVolume: cdi('createdForDataVolume'),
  ownerUid: cdi('ownerUID'),
  /** On a claim or VolumeCloneSource: the namespace of the clone's source, if it is a different one. */
  dataSourceNamespace: cdi('dataSourceNamespace'),
  cloneToken: cdi('storage.clone.token'),
  extendedCloneToken: cdi('storage.extended.clone.token'),
  externalPopulation: cdi('externalPopulation'),
  checkpointPrevious: cdi('storage.checkpoint.previous'),
  checkpointCurrent: cdi('storage.checkpoint.current'),
  checkpointFinal: cdi('storage.checkpoint.final'),
  /** Prefix that is followed by `.ID`, the checkpoint that was copied. */
  checkpointCopiedPrefix: cdi('storage.checkpoint.copied'),
  checkpointDone: cdi('storage.checkpoint.done'),
  /** "true" on a claim that has been cloned completely. */
  cloneOf: 'k8s.io/CloneOf',
} as const;

/**
 * Annotations of a DataVolume, but never of its claim. Users and backup tools write them, and so do the controllers
 * when a claim is adopted.
 */
export const dataVolumeAnnotation = {
  /**
   * Present, with the claim's name as its value: the claim exists already or will exist, with its data; nothing is
   * created.
   */
  prePopulated: cdi('storage.prePopulated'),
} as const;

/** Annotations that are read on a StorageClass. */
export const storageClassAnnotation = {
  isDefaultClass: 'storageclass.kubernetes.io/is-default-class',
  /** Default class for content of type kubevirt, where it takes precedence over isDefaultClass. */
  isDefaultVirtClass: 'storageclass.kubevirt.io/is-default-virt-class',
  /** One of {@link import('./clone.ts').CloneType}; the spec of the StorageProfile takes precedence. */
  cloneStrategy: cdi('clone-strategy'),
} as const;

/** Annotations that are read on a VolumeSnapshotClass. */
export const snapshotClassAnnotation = {
  isDefaultClass: 'snapshot.storage.kubernetes.io/is-default-class',
} as const;

/** Annotations that are read on a StorageProfile. */
export const storageProfileAnnotation = {
  /** Minimum size as a quantity: claims of the class are made at least this large. */
  minimumSupportedPvcSize: cdi('minimumSupportedPvcSize'),
  useReadWriteOnceForDataImportCron: cdi('useReadWriteOnceForDataImportCron'),
  snapshotClassForDataImportCron: cdi('snapshotClassForDataImportCron'),
} as const;

/** Annotations of a DataImportCron and of its images. */
export const dataImportCronAnnotation = {
  /**
   * On a DataImportCron: digest of the image to have. The controllers write it where there is a schedule, and somebody
   * else where there is none.
   */
  desiredDigest: cdi('storage.import.sourceDesiredDigest'),
  /** On a DataImportCron: what a container runtime pulls the image of that digest by, where an ImageStream names it. */
  imageStreamDockerReference: cdi('storage.import.imageStreamDockerRef'),
  /** On a DataImportCron: the RFC 3339 time at which a newer image is looked for next. */
  nextCronTime: cdi('storage.import.nextCronTime'),
  /** On a DataImportCron: the RFC 3339 time at which a newer image was looked for last. */
  lastCronTime: cdi('storage.import.lastCronTime'),
  /** On an image: the RFC 3339 time at which it became the newest one last. */
  lastUseTime: cdi('storage.import.lastUseTime'),
  /** On a DataImportCron and on an image: the storage class that images are, or the image is, imported into. */
  storageClass: cdi('storage.import.storageClass'),
} as const;
