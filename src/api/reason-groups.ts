/**
 * How the work continues when a condition or event has the reason:
 *
 * - `ordinary`: nothing is wrong;
 * - `waiting`: something that the message names has to change, after which the work resumes by itself;
 * - `passing`: it is retried;
 * - `permanent`: the work has ended, and a person must act.
 */
export type Course = 'ordinary' | 'waiting' | 'passing' | 'permanent';

interface ReasonGroup {
  readonly reasons: readonly string[];
  readonly course: Course;
  /** Markdown of docs/troubleshooting.md: what the reasons mean, and what to do about them. */
  readonly remedy: string;
}

/**
 * Every reason that the controllers and the transfer pods report on a DataVolume or its claim, in the order of the
 * documentation. Reasons of Kubernetes and its drivers are included where they are passed on.
 */
export const reasonGroups = [
  {
    reasons: ['HostNotFound', 'NotFound', 'InvalidUrl', 'RequestRejected', 'TooManyRedirects'],
    course: 'permanent',
    remedy: 'Check the URL. The message about an S3 or GCS object says whether the bucket or the object is missing.',
  },
  {
    reasons: ['InvalidRequest'],
    course: 'permanent',
    remedy: 'The message says which setting cannot be used: a header, a certificate, a proxy, credentials.',
  },
  {
    reasons: ['Unauthorized'],
    course: 'permanent',
    remedy: 'Check the Secret in `secretRef`; the message names the keys that it should have.',
  },
  {
    reasons: ['Forbidden'],
    course: 'permanent',
    remedy:
      'From a server: check the Secret in `secretRef`. Of a clone: the right to clone from that namespace is missing or used up, and the message says how to get it.',
  },
  {
    reasons: ['ProxyRefused'],
    course: 'permanent',
    remedy: 'The proxy wants a user and password in its URL, or does not let the host through.',
  },
  {
    reasons: ['CertificateUntrusted'],
    course: 'permanent',
    remedy: 'Put the certificate of the authority into a ConfigMap, and name it in `certConfigMap`.',
  },
  {
    reasons: ['TlsFailed'],
    course: 'permanent',
    remedy: 'The server and the importer do not agree on a TLS connection; the message has the cause.',
  },
  {
    reasons: ['RedirectRefused'],
    course: 'permanent',
    remedy: 'A server leads further inside than it is itself; the message says how to allow that.',
  },
  {
    reasons: ['AddressRefused'],
    course: 'permanent',
    remedy:
      'A loopback or link-local address, where the controllers look for no new images: give the address that the server has for others.',
  },
  {
    reasons: ['ProtocolViolation'],
    course: 'permanent',
    remedy: 'The server, or something before it, does not send what it announces; the message says how.',
  },
  {
    reasons: ['ChecksumMismatch'],
    course: 'permanent',
    remedy: 'The file is not the one that you meant, or was damaged on its way. Nothing of it is left.',
  },
  {
    reasons: ['NotAnImage', 'InvalidImage', 'TruncatedImage', 'UnsupportedImage'],
    course: 'permanent',
    remedy:
      'The message says what was found. Backing files, encryption and external data files are refused. [Formats](formats.md) has every message.',
  },
  {
    reasons: ['ConversionFailed'],
    course: 'permanent',
    remedy: 'qemu-img cannot convert the image; the message has its complaint.',
  },
  {
    reasons: ['ImageTooLarge', 'NoSpace'],
    course: 'permanent',
    remedy: 'Request more storage; the message has both sizes, and what the file system itself has taken.',
  },
  {
    reasons: ['StageMismatch'],
    course: 'permanent',
    remedy:
      'The target does not hold the snapshot that a stage of an import begins with, or the disk has become smaller: import it anew from the first stage on.',
  },
  {
    reasons: ['DiskNotFound', 'PlatformNotFound'],
    course: 'permanent',
    remedy:
      'The container image has no file in `/disk`, or none for this architecture; the virtual machine has no such disk. The message says which.',
  },
  {
    reasons: ['TransferCancelled'],
    course: 'permanent',
    remedy:
      'Somebody has cancelled the transfer at the oVirt engine. Ask its administrator, and import the disk again.',
  },
  {
    reasons: ['SourceNotReadable'],
    course: 'permanent',
    remedy:
      'The importer or the copying pod may not read the source; the message names it. With `pullMethod: node`, the node does not share process namespaces.',
  },
  {
    reasons: ['TargetNotWritable'],
    course: 'permanent',
    remedy:
      'Something else is in the place of the disk on the volume, or the volume cannot be written; the message names it.',
  },
  {
    reasons: ['ProgramMissing'],
    course: 'permanent',
    remedy:
      'The image of Diskpress, or your machine where the command line runs, lacks the program that the message names.',
  },
  {
    reasons: ['UnsupportedSource', 'UnsupportedFormat'],
    course: 'permanent',
    remedy:
      'This version does not have the source or the stated format, or it is turned off; the message says which there are, or who can turn it on.',
  },
  {
    reasons: ['UnsupportedClone'],
    course: 'permanent',
    remedy: 'A tree of files cannot be copied to a Block volume, nor a disk to a volume with `contentType: archive`.',
  },
  {
    reasons: ['SourceReplaced', 'CloneRightExpired'],
    course: 'permanent',
    remedy: 'The right to clone was granted for another source, or too long ago: create the DataVolume again.',
  },
  {
    reasons: ['CloneValidationFailed'],
    course: 'permanent',
    remedy: 'The target requests less than its source has.',
  },
  {
    reasons: ['ErrClaimNotValid'],
    course: 'permanent',
    remedy:
      'The message says what to give in the DataVolume or its StorageProfile. Where the StorageProfile may still change, the DataVolume waits.',
  },
  {
    reasons: ['ErrUnableToClone'],
    course: 'permanent',
    remedy:
      'A snapshot can only be restored by its CSI driver: choose a class of that driver. Where a class may still be created, the clone waits.',
  },
  {
    reasons: ['ErrClaimLost'],
    course: 'permanent',
    remedy: 'The volume of the claim is gone; the data is lost. A clone waits for another source.',
  },
  {
    reasons: ['PolicyMissing'],
    course: 'waiting',
    remedy:
      'The admission policies are not in force: apply them. A DataVolume that was created meanwhile has to be created again.',
  },
  {
    reasons: ['CloneNotGranted'],
    course: 'waiting',
    remedy: 'The clone waits for the controller of the DataVolume, whose conditions say why.',
  },
  {
    reasons: ['AwaitingVDDK'],
    course: 'waiting',
    remedy:
      'Name an image with the VDDK library in `vddk.initImageURL`, or, for all, in the key `vddk-init-image` of the ConfigMap `v2v-vmware` in the namespace of Diskpress. It is looked for every 15 s.',
  },
  {
    reasons: ['SecretNotFound', 'ConfigMapNotFound'],
    course: 'waiting',
    remedy:
      'Create the object in the namespace of the DataVolume. A new pod looks for it every 15 s at most, and `restartCount` may reach 5 meanwhile.',
  },
  {
    reasons: ['StorageClassNotFound'],
    course: 'waiting',
    remedy: 'Create the class, or name another one.',
  },
  {
    reasons: ['ErrResourceExists'],
    course: 'waiting',
    remedy: 'An object of a name that is needed exists already, and belongs to somebody else.',
  },
  {
    reasons: ['OtherTargetClaim'],
    course: 'waiting',
    remedy: 'The VolumeImportSource is for the claim that its `targetClaim` names: make one for this claim.',
  },
  {
    reasons: ['ErrIncompatiblePVC'],
    course: 'waiting',
    remedy: 'The claim to take over has another volume mode, or is too small.',
  },
  {
    reasons: ['CloneWithoutSource', 'SourceNotReady', 'CloneSourceInUse'],
    course: 'waiting',
    remedy: 'The message says what the source lacks, or which pods may write to it.',
  },
  {
    reasons: ['UploadTargetInUse'],
    course: 'waiting',
    remedy: 'A pod uses the claim that an upload would overwrite; the message names it.',
  },
  {
    reasons: ['CertificatesNotReady'],
    course: 'waiting',
    remedy:
      'The controllers have not made the certificates of uploads yet, which takes seconds. If it lasts, the log of `cdi-deployment` says why.',
  },
  {
    reasons: ['ErrExceededQuota'],
    course: 'waiting',
    remedy: 'The quota of the namespace has no room.',
  },
  {
    reasons: ['ErrForbidden'],
    course: 'waiting',
    remedy: 'The API server, or a webhook that it asks, refuses an object; the message has its words.',
  },
  {
    reasons: ['ProvisioningFailed', 'SnapshotFailed', 'MountFailed'],
    course: 'waiting',
    remedy: 'The storage is at work; the message has its last complaint.',
  },
  {
    reasons: ['VolumeResizeFailed'],
    course: 'waiting',
    remedy: 'The storage has to grow the clone; the message has the complaint of the resizer.',
  },
  {
    reasons: ['ImagePullBackOff', 'ErrImagePull', 'ErrImageNeverPull', 'InvalidImageName'],
    course: 'waiting',
    remedy:
      'The node cannot pull an image of the pod, with `pullMethod: node` that of the disk, says why, and tries again. Where a registry refuses that of the disk or does not have it, the import fails.',
  },
  {
    reasons: ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'],
    course: 'waiting',
    remedy: 'The node cannot start the pod; the message is that of the kubelet.',
  },
  {
    reasons: ['Unschedulable'],
    course: 'waiting',
    remedy: 'No node fits the pod; the message is the first of the scheduler.',
  },
  {
    reasons: ['ErrStartingPod'],
    course: 'waiting',
    remedy: 'A pod is refused or does not start; the message has the node and what the kubelet complains of.',
  },
  {
    reasons: ['NodeNotReady', 'NodeLost'],
    course: 'waiting',
    remedy: "The node of a transfer's pod does not answer: the transfer waits until it does, or is deleted.",
  },
  {
    reasons: [
      'Retrying',
      'ConnectionRefused',
      'ConnectionFailed',
      'ConnectionLost',
      'HostLookupFailed',
      'ServerUnavailable',
      'TooManyRequests',
    ],
    course: 'passing',
    remedy: 'The network or the server fails; the transfer continues by itself.',
  },
  {
    reasons: ['SourceStalled'],
    course: 'passing',
    remedy: 'The server answers, and sends nothing, or next to nothing, from the byte that the message names.',
  },
  {
    reasons: ['DiskLocked'],
    course: 'passing',
    remedy:
      'The oVirt engine has locked the disk for another transfer, a snapshot or a backup; the import waits for its end.',
  },
  {
    reasons: ['TicketExpired', 'TransferEnded'],
    course: 'passing',
    remedy: 'The oVirt engine has ended the transfer of the disk, or a host has forgotten it; another one is begun.',
  },
  {
    reasons: ['SourceChanged'],
    course: 'passing',
    remedy: 'The object was replaced while it was read; it is read again from its start.',
  },
  {
    reasons: ['StreamCorrupted'],
    course: 'passing',
    remedy: 'What arrived is not what was sent; it is sent again.',
  },
  {
    reasons: ['BaseMismatch'],
    course: 'passing',
    remedy:
      'The driver said that less had changed since an earlier copy than really has; the whole disk is copied. Tell the vendor of the driver.',
  },
  {
    reasons: ['PodReplaced', 'PodKilled', 'PodFailed', 'Interrupted'],
    course: 'passing',
    remedy: 'A pod was deleted, evicted, killed or stopped; another one continues where it was.',
  },
  {
    reasons: ['RequestNotUnderstood'],
    course: 'passing',
    remedy:
      'The image of the transfer pods is of another version than the controllers, as during an upgrade; another pod follows. Where it lasts, give both one image: `TRANSFER_IMAGE` of `cdi-deployment` names that of the pods.',
  },
  {
    reasons: ['OOMKilled'],
    course: 'passing',
    remedy: 'Raise the memory limit in `podResourceRequirements`; another pod tries again meanwhile.',
  },
  {
    reasons: ['InternalError'],
    course: 'passing',
    remedy:
      'Diskpress has a fault, or its machine has one that it does not know. Please report the message and the log.',
  },
  {
    reasons: ['ImportPaused'],
    course: 'ordinary',
    remedy:
      'A stage of a multi-stage import is complete: add the next checkpoint to `spec.checkpoints`, and set `finalCheckpoint` with the last one.',
  },
  {
    reasons: ['Pending', 'Provisioning', 'WaitForFirstConsumer', 'ScratchRequired', 'TransferRunning', 'Completed'],
    course: 'ordinary',
    remedy: 'Nothing needs to be done.',
  },
] as const satisfies readonly ReasonGroup[];
