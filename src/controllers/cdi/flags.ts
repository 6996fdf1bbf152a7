import type { CDISpec } from '../../api/cdi.ts';
import type { TlsSecurityProfile } from '../../api/cdi-config.ts';
import { logFormats, logLevels } from '../../base/logger.ts';
import { isKnownCipher, tlsLimitsOf } from '../../server/tls-profile.ts';
import { logLevelOf } from '../runtime/verbosity.ts';
import type { Part } from './installation.ts';

type Argument = readonly [name: string, value: string];

/** What a flag's value has to be, and the arguments of a role that it stands for. */
interface Flag {
  readonly value: RegExp;
  readonly description: string;
  readonly argument: (value: string) => Argument;
}

const oneOf = (values: readonly string[]) => ({
  value: new RegExp(`^(${values.join('|')})$`),
  description: values.join(', '),
});

/** The flags of the parts. */
const flags: Readonly<Record<string, Flag>> = {
  'log-level': { ...oneOf(logLevels), argument: (value) => ['log-level', value] },
  'log-format': { ...oneOf(logFormats), argument: (value) => ['log-format', value] },
  v: { value: /^\d$/, description: 'a digit', argument: (value) => ['log-level', logLevelOf(Number(value))] },
};

/** Returns the arguments of a part's container after its role; flags win over what is said for all parts. */
export function argumentsOf(part: Pick<Part, 'flags'>, spec: CDISpec): string[] {
  const { logVerbosity, tlsSecurityProfile } = spec.config ?? {};
  const all: Argument[] = [
    ...(typeof logVerbosity === 'number' ? [['log-level', logLevelOf(logVerbosity)] as const] : []),
    ...tlsArguments(tlsSecurityProfile),
  ];
  const own = givenTo(part, spec).flatMap(([name, value]) => {
    const flag = flagOf(name);
    return flag?.value.test(value) ? [flag.argument(value)] : [];
  });
  return [...new Map([...all, ...own])].map(([name, value]) => `--${name}=${value}`).sort();
}

function tlsArguments(profile: TlsSecurityProfile | undefined): Argument[] {
  const limits = tlsLimitsOf(profile);
  const ciphers = limits?.ciphers.filter(isKnownCipher) ?? [];
  return [
    ...(limits ? [['tls-min-version', limits.minVersion] as const] : []),
    ...(ciphers.length > 0 ? [['tls-cipher-suites', ciphers.join(',')] as const] : []),
  ];
}

/** Returns what is wrong with config.tlsSecurityProfile, for people. */
export function tlsProblems({ config }: CDISpec): string[] {
  const { type, custom } = config?.tlsSecurityProfile ?? {};
  const unknown = type === 'Custom' ? (custom?.ciphers ?? []).filter((name) => !isKnownCipher(name)) : [];
  return unknown.map((name) => `config.tlsSecurityProfile.custom.ciphers: OpenSSL has no cipher "${name}"`);
}

/** Returns what is wrong with the flags of a part, for people. */
export function flagProblems(part: Pick<Part, 'flags'>, spec: CDISpec): string[] {
  return givenTo(part, spec).flatMap(([name, value]) => {
    const where = `customizeComponents.flags.${part.flags}`;
    const flag = flagOf(name);
    if (!flag) return [`${where}: there is no flag "${name}"; there are ${Object.keys(flags).join(', ')}`];
    return flag.value.test(value) ? [] : [`${where}: flag "${name}" is "${value}" instead of ${flag.description}`];
  });
}

function givenTo({ flags: part }: Pick<Part, 'flags'>, { customizeComponents }: CDISpec): [string, string][] {
  return Object.entries(customizeComponents?.flags?.[part] ?? {});
}

function flagOf(name: string): Flag | undefined {
  return Object.hasOwn(flags, name) ? flags[name] : undefined;
}
