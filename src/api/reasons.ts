/**
 * How the work goes on when a condition or event has the reason:
 *
 * - `ordinary`: nothing is wrong;
 * - `waits`: something that the message names has to change, and the work goes on by itself when it has;
 * - `passing`: it is tried again;
 * - `final`: the work has ended, and a person must act.
 */
export type Course = 'ordinary' | 'waits' | 'passing' | 'final';

interface ReasonGroup {
  readonly reasons: readonly string[];
  readonly course: Course;
  /** Markdown of docs/troubleshooting.md: what it means, and what to do about it. */
  readonly remedy: string;
}

/**
 * Every reason that the controllers and the transfer pods give on a DataVolume or its claim, in the order in which documentation has them.
 * Those of Kubernetes and its drivers are among them where they are passed on.
 */
export const reasonGroups = [
  {
    reasons: ['HostNotFound', 'NotFound', 'InvalidUrl'],
    course: 'final',
    remedy: 'check the URL, or make what the message names; of S3 and GCS it tells bucket from object',
  },
  {
    reasons: ['Unauthorized', 'Forbidden'],
    course: 'final',
    remedy:
      'check the Secret in `secretRef`: the message names the keys that it should have; of a clone: who made the DataVolume may not clone that source',
  },
  {
    reasons: ['ProxyRefused'],
    course: 'final',
    remedy: 'the proxy wants a user and password in its URL, or does not let the host through',
  },
  {
    reasons: ['CertificateUntrusted', 'TlsFailed'],
    course: 'final',
    remedy: "put the authority's certificate into a ConfigMap and name it in `certConfigMap`",
  },
  {
    reasons: ['ChecksumMismatch'],
    course: 'final',
    remedy: 'the file is not the one that you meant, or was damaged on its way; nothing of it is left',
  },
  {
    reasons: ['NotAnImage', 'InvalidImage', 'TruncatedImage', 'UnsupportedImage', 'ConversionFailed'],
    course: 'final',
    remedy: 'the message says what was found; backing files, encryption and external data files are refused',
  },
  {
    reasons: ['InvalidRequest', 'RequestRejected', 'UnsupportedFormat', 'UnsupportedSource', 'UnsupportedClone'],
    course: 'final',
    remedy: 'what the DataVolume asks for cannot be done, or a server refuses it; the message says what',
  },
  {
    reasons: ['ProtocolViolation', 'TooManyRedirects'],
    course: 'final',
    remedy: 'the server, or something before it, does not send what it announces; the message says how',
  },
  {
    reasons: ['RedirectRefused'],
    course: 'final',
    remedy: 'a server leads further inside than it is itself; the message says how to allow that',
  },
  { reasons: ['ImageTooLarge', 'NoSpace'], course: 'final', remedy: 'request more; the message has both sizes' },
  {
    reasons: ['TargetNotWritable', 'SourceNotReadable', 'ProgramMissing'],
    course: 'final',
    remedy:
      "the volume, or the importer's image, does not let the work be done; the message has the system's complaint",
  },
  {
    reasons: ['DiskNotFound', 'PlatformNotFound'],
    course: 'final',
    remedy: 'the container image has no file in `/disk`, or none for this architecture',
  },
  {
    reasons: ['SourceReplaced', 'CloneRightExpired'],
    course: 'final',
    remedy: 'the right to clone was granted for another source, or a day ago: make the DataVolume anew',
  },
  { reasons: ['CloneValidationFailed'], course: 'final', remedy: 'the target requests less than its source' },
  {
    reasons: ['ErrClaimLost'],
    course: 'final',
    remedy: 'the claim or its volume was deleted after it had its data: make the DataVolume anew',
  },
  {
    reasons: ['ErrForbidden'],
    course: 'waits',
    remedy: "admission or access control refuses an object that is needed; the message is the API server's",
  },
  {
    reasons: ['ErrClaimNotValid', 'ErrUnableToClone'],
    course: 'final',
    remedy: 'the message says what to give in the DataVolume or its StorageProfile',
  },
  {
    reasons: ['ImageLabelsRefused'],
    course: 'final',
    remedy: "the claim does not take the labels of the image; the message has the API server's sentence",
  },
  {
    reasons: [
      ...['ImagePullBackOff', 'ErrImagePull', 'InvalidImageName', 'ErrImageNeverPull', 'CreateContainerConfigError'],
      ...['CreateContainerError', 'RunContainerError'],
    ],
    course: 'waits',
    remedy: 'the node cannot pull an image (`pullMethod: node`) or start the pod, and says why',
  },
  {
    reasons: ['SecretNotFound', 'ConfigMapNotFound'],
    course: 'waits',
    remedy:
      "create it in the DataVolume's namespace; a new pod looks for it every 15 s at most, and `restartCount` may say up to 5 meanwhile",
  },
  {
    reasons: ['PolicyMissing'],
    course: 'waits',
    remedy: 'the admission policies are not in force; made meanwhile, the DataVolume is to be made anew',
  },
  {
    reasons: ['CloneNotGranted'],
    course: 'waits',
    remedy: "the DataVolume's own controller has not decided yet; its conditions tell why",
  },
  { reasons: ['StorageClassNotFound'], course: 'waits', remedy: 'create the class, or name another one' },
  {
    reasons: ['ErrResourceExists'],
    course: 'waits',
    remedy: "an object of a name that is needed exists already, and is somebody else's",
  },
  {
    reasons: ['ErrIncompatiblePVC'],
    course: 'waits',
    remedy: 'the claim to take over has another volume mode, or is too small',
  },
  {
    reasons: ['CloneWithoutSource', 'SourceNotReady', 'CloneSourceInUse'],
    course: 'waits',
    remedy: 'the source is missing, not ready, or being written; the message says what it lacks',
  },
  { reasons: ['ErrExceededQuota'], course: 'waits', remedy: "the namespace's quota has no room" },
  {
    reasons: ['ProvisioningFailed', 'SnapshotFailed', 'MountFailed'],
    course: 'waits',
    remedy: 'the storage does not do what is needed; the message has its last complaint',
  },
  {
    reasons: ['VolumeResizeFailed'],
    course: 'waits',
    remedy: "the storage is to grow the clone; the message has the resizer's complaint",
  },
  {
    reasons: ['ErrStartingPod', 'Unschedulable'],
    course: 'waits',
    remedy: 'the message has what the scheduler, or the node and its kubelet, complain of',
  },
  {
    reasons: ['NodeNotReady', 'NodeLost'],
    course: 'waits',
    remedy: "the node of a transfer's pod does not answer: waits until it does, or is deleted",
  },
  {
    reasons: [
      ...['Retrying', 'ConnectionRefused', 'ConnectionFailed', 'ConnectionLost', 'HostLookupFailed'],
      ...['ServerUnavailable', 'TooManyRequests', 'SourceChanged', 'StreamCorrupted', 'Interrupted', 'InternalError'],
    ],
    course: 'passing',
    remedy: 'it goes on by itself; the message says since when, and what failed',
  },
  {
    reasons: ['SourceStalled'],
    course: 'passing',
    remedy: 'the server answers, and sends nothing, or next to nothing, from the byte on that the message names',
  },
  {
    reasons: ['PodReplaced', 'PodKilled'],
    course: 'passing',
    remedy: 'a pod was deleted, evicted or killed; another one goes on where it was',
  },
  { reasons: ['OOMKilled'], course: 'passing', remedy: 'raise the memory limit in `podResourceRequirements`' },
  {
    reasons: ['Pending', 'Provisioning', 'WaitForFirstConsumer', 'ScratchRequired', 'TransferRunning', 'Completed'],
    course: 'ordinary',
    remedy: 'the ordinary course of things',
  },
] as const satisfies readonly ReasonGroup[];

/** A reason of the Running condition. */
export type Reason = (typeof reasonGroups)[number]['reasons'][number];

const courses = new Map<string, Course>(
  reasonGroups.flatMap(({ reasons, course }) => reasons.map((reason) => [reason, course] as const)),
);

/** How the work goes on with a reason, which may be another component's; undefined where this table does not have it. */
export function courseOf(reason: string): Course | undefined {
  return courses.get(reason);
}

/** Reasons that are published as those of events where a DataVolume fails, instead of which kind of work has failed. */
export const isFailureEventReason = (reason: string): boolean =>
  courses.has(reason) && (reason.startsWith('Err') || reason === 'CloneValidationFailed');
