const DOMAIN = 'kubevirt.io';
const MARK = 'KUBEVIRT_IO_';

/** Longest line in characters: a key has at most 317 and a value 63. */
const LONGEST_LINE = 512;
/** Most labels; images have two to five. */
const MOST_LABELS = 16;
/** Most bytes of all labels as JSON: they share a termination message of 4096 bytes with the rest of the result. */
const MOST_BYTES = 2048;
/** Longest DNS subdomain. */
const LONGEST_PREFIX = 253;

const name = /^[A-Z0-9]([A-Z0-9_]{0,61}[A-Z0-9])?$/;
const domainLabel = /^[A-Z0-9]{1,63}$/;
const value = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

/**
 * API groups of controllers around KubeVirt, except for instancetype.kubevirt.io, which is meant for images: these
 * controllers act on labels of their domains, and an image must not instruct them.
 */
const steering = new Set(
  ['cdi.', 'snapshot.', 'export.', 'backup.', 'clone.', 'pool.', 'migrations.', 'template.', 'vm.', 'ssp.'].map(
    (group) => group + DOMAIN,
  ),
);

/**
 * Returns the labels that an image's environment requests: INSTANCETYPE_KUBEVIRT_IO_DEFAULT_INSTANCETYPE=u1.small
 * becomes instancetype.kubevirt.io/default-instancetype: u1.small. Labels that would be invalid, or would instruct a
 * controller, are left out, as are those beyond 16 labels or 2048 bytes.
 *
 * @param environment lines of the form NAME=value
 */
export function labelsFromEnvironment(environment: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  let count = 0;
  let bytes = 0;
  for (const line of environment) {
    const label = line.length <= LONGEST_LINE ? labelOf(line) : undefined;
    if (label === undefined) continue;
    const [key, text] = label;
    const earlier = labels[key];
    if (earlier === undefined && count === MOST_LABELS) continue;
    const grown = bytes - lengthOf(key, earlier) + lengthOf(key, text);
    if (grown > MOST_BYTES) continue;
    if (earlier === undefined) count += 1;
    bytes = grown;
    labels[key] = text;
  }
  return labels;
}

function labelOf(line: string): [key: string, value: string] | undefined {
  const equals = line.indexOf('=');
  const mark = line.indexOf(MARK);
  if (mark < 0 || mark > equals || (mark > 0 && line[mark - 1] !== '_')) return undefined;
  const suffix = line.slice(mark + MARK.length, equals);
  const text = line.slice(equals + 1);
  const parts = line.slice(0, mark).split('_').slice(0, -1);
  if (!name.test(suffix) || !value.test(text) || !parts.every((part) => domainLabel.test(part))) return undefined;
  const prefix = [...parts.map((part) => part.toLowerCase()), DOMAIN].join('.');
  if (prefix.length > LONGEST_PREFIX || isSteering(prefix)) return undefined;
  return [`${prefix}/${suffix.toLowerCase().replaceAll('_', '-')}`, text];
}

/** Whether a domain, or one of its parents, belongs to a controller. */
function isSteering(prefix: string): boolean {
  const groups = prefix.split('.').slice(-3).join('.');
  return steering.has(prefix) || steering.has(groups);
}

/** Returns the length as JSON, with quotes, colon and comma. */
function lengthOf(key: string, text: string | undefined): number {
  return text === undefined ? 0 : key.length + text.length + '"":"",'.length;
}
