/**
 * The certificates and keys that the roles of an installation share. The controllers make and rotate them, as Secrets
 * and ConfigMaps in the namespace of the installation; each role watches those that it needs, so that a new one is in
 * use at once. All are PEM, keys in PKCS #8.
 */

/** An authority: its Secret, with the keys `tls.crt` and `tls.key`, which only the controllers may read. */
export const signers = {
  apiserver: 'cdi-apiserver-signer',
  uploadproxy: 'cdi-uploadproxy-signer',
  /** Signs the certificates of upload servers, which the upload proxy connects to. */
  uploadserver: 'cdi-uploadserver-signer',
  /** Signs the certificate by which upload servers recognise the upload proxy. */
  'uploadserver-client': 'cdi-uploadserver-client-signer',
  /** Signs the certificate under which the controllers serve their metrics. */
  metrics: 'cdi-metrics-signer',
} as const;
export type Signer = keyof typeof signers;

/**
 * Name of the ConfigMap with the certificates of an authority, under the key `ca-bundle.crt`: the present one, and the
 * ones before it until they expire.
 */
export const bundleName = (signer: Signer) => `${signers[signer]}-bundle`;
export const BUNDLE_KEY = 'ca-bundle.crt';

/** A certificate of a role: its Secret, of type kubernetes.io/tls, with the keys `tls.crt` and `tls.key`. */
export const roleCertificates = {
  apiserver: { secret: 'cdi-apiserver-server-cert', signer: 'apiserver', service: 'cdi-api' },
  uploadproxy: { secret: 'cdi-uploadproxy-server-cert', signer: 'uploadproxy', service: 'cdi-uploadproxy' },
  metrics: { secret: 'cdi-metrics-server-cert', signer: 'metrics', service: 'cdi-prometheus-metrics' },
  /** Like the upload proxy it is reached from outside, by those who trust the same authority. */
  dashboard: { secret: 'cdi-dashboard-server-cert', signer: 'uploadproxy', service: 'cdi-dashboard' },
} as const;

/** The certificate that the upload proxy shows to upload servers, and its common name. */
export const uploadClientCertificate = {
  secret: 'cdi-uploadserver-client-cert',
  signer: 'uploadserver-client',
  commonName: 'client.upload-server.cdi.kubevirt.io',
} as const;

/** The Secret with the private key that upload tokens are signed with, `private.pem`; only the API server reads it. */
export const TOKEN_SIGNING_SECRET = 'cdi-api-signing-key';
export const TOKEN_SIGNING_KEY = 'private.pem';
/**
 * The Secret with the public keys of upload tokens as a JSON Web Key Set (RFC 7517), `jwks.json`: the present one and
 * the one before it. Only the upload proxy reads it.
 */
export const TOKEN_VERIFICATION_SECRET = 'cdi-uploadproxy-token-keys';
export const TOKEN_VERIFICATION_KEY = 'jwks.json';

/** Issuer of upload tokens. */
export const TOKEN_ISSUER = 'cdi-apiserver';
/** Algorithm of upload tokens (RFC 7518). */
export const TOKEN_ALGORITHM = 'ES256';

/** The APIService of upload tokens and the configuration of the admission webhook, both of the role apiserver. */
export const UPLOAD_API_SERVICE = 'v1beta1.upload.cdi.kubevirt.io';
export const CLAIM_WEBHOOK_CONFIGURATION = 'cdi-api-pvc-mutate';

/** The Lease of the controllers, of which one leads. */
export const CONTROLLERS_LEASE = 'cdi-controller-leader-election-helper';

/** Names of all objects that the controllers make in the namespace of the installation, and that are its alone. */
export const installedObjects = {
  secrets: [
    ...Object.values(signers),
    ...Object.values(roleCertificates).map(({ secret }) => secret),
    uploadClientCertificate.secret,
    TOKEN_SIGNING_SECRET,
    TOKEN_VERIFICATION_SECRET,
  ],
  configMaps: (Object.keys(signers) as Signer[]).map(bundleName),
  leases: [CONTROLLERS_LEASE],
} as const satisfies Readonly<Record<string, readonly string[]>>;
