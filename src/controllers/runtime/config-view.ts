import type { CDI, CDISpec } from '../../api/cdi.ts';
import { CDI_CONFIG_NAME, type CDIConfigSpec, type FeatureGate, type ImportProxy } from '../../api/cdi-config.ts';
import type { CloneType } from '../../api/clone.ts';
import { filesystemOverheadOf } from '../../rendering/filesystem-overhead.ts';
import { isOfTls13 } from '../../server/tls-profile.ts';
import type { Caches } from './caches.ts';
import { type Lifetimes, lifetimesOf } from './lifetimes.ts';
import { DEFAULT_POD_RESOURCES, type InstallationSettings, type TransferSettings } from './settings.ts';
import { logLevelOf } from './verbosity.ts';

/** Name of the CDI object, unless the administrator chose another. */
export const CDI_NAME = 'cdi';

/** Returns the CDI object in force: the one of the usual name, otherwise the oldest. */
export function cdiInForce(cdis: Pick<Caches['cdis'], 'get' | 'list'>): CDI | undefined {
  const age = ({ metadata }: CDI) => `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
  const usual = cdis.get({ namespace: '', name: CDI_NAME });
  return usual ?? cdis.list().toSorted((a, b) => (age(a) < age(b) ? -1 : 1))[0];
}

/** The configuration in force; every call reads the caches. */
export class ConfigView {
  readonly #caches: Pick<Caches, 'cdis' | 'cdiConfigs' | 'storageClasses'>;
  readonly #installation: Pick<InstallationSettings, 'image' | 'namespace' | 'logFormat'>;

  constructor(
    caches: Pick<Caches, 'cdis' | 'cdiConfigs' | 'storageClasses'>,
    installation: Pick<InstallationSettings, 'image' | 'namespace' | 'logFormat'>,
  ) {
    this.#caches = caches;
    this.#installation = installation;
  }

  /** Returns the share of a class's Filesystem volumes that disk images leave free: 0 ≤ overhead < 1. */
  filesystemOverhead(storageClassName: string | undefined): number {
    return filesystemOverheadOf(this.#config, storageClassName);
  }

  /** Whether disk space is preallocated, unless the DataVolume specifies it. */
  get preallocation(): boolean {
    return this.#config.preallocation ?? false;
  }

  /** Registries as `host[:port]` that may be accessed over plain HTTP. */
  get insecureRegistries(): readonly string[] {
    return this.#config.insecureRegistries ?? [];
  }

  /** The proxies of imports including their logins, which CDIConfig lacks because everybody may read it. */
  get importProxy(): ImportProxy {
    const cdi = this.#cdi;
    return (cdi ? cdi.config?.importProxy : this.#config.importProxy) ?? {};
  }

  /** The namespace of the installation. */
  get namespace(): string {
    return this.#installation.namespace;
  }

  hasFeatureGate(gate: FeatureGate): boolean {
    return this.#config.featureGates?.includes(gate) ?? false;
  }

  /** The configured class for scratch space, if that class exists. */
  get scratchSpaceStorageClass(): string | undefined {
    const name = this.#config.scratchSpaceStorageClass;
    return name && this.#caches.storageClasses.get({ namespace: '', name }) ? name : undefined;
  }

  get cloneStrategyOverride(): CloneType | undefined {
    return this.#cdi?.cloneStrategyOverride;
  }

  get certificateLifetimes(): Lifetimes {
    return lifetimesOf(this.#cdi?.certConfig);
  }

  get transferSettings(): TransferSettings {
    const cdi = this.#cdi;
    const { logVerbosity, tlsSecurityProfile } = this.#config;
    const tlsCiphers =
      tlsSecurityProfile?.type === 'Custom' ? tlsSecurityProfile.custom?.ciphers?.filter(isOfTls13) : [];
    return {
      image: this.#installation.image,
      imagePullPolicy: cdi?.imagePullPolicy ?? 'IfNotPresent',
      imagePullSecrets: this.#config.imagePullSecrets ?? [],
      podResources: {
        requests: { ...DEFAULT_POD_RESOURCES.requests, ...this.#config.podResourceRequirements?.requests },
        limits: { ...DEFAULT_POD_RESOURCES.limits, ...this.#config.podResourceRequirements?.limits },
      },
      workloadPlacement: cdi?.workload ?? {},
      logFormat: this.#installation.logFormat,
      ...(typeof logVerbosity === 'number' && { logLevel: logLevelOf(logVerbosity) }),
      ...(tlsCiphers?.length && { tlsCiphers }),
    };
  }

  get #config(): CDIConfigSpec {
    return this.#caches.cdiConfigs.get({ namespace: '', name: CDI_CONFIG_NAME })?.spec ?? {};
  }

  get #cdi(): CDISpec | undefined {
    return cdiInForce(this.#caches.cdis)?.spec;
  }
}
