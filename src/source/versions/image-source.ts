import type { Login } from '../../base/login.ts';

/** The settings that all sources with a URL share. */
interface CommonSettings {
  readonly url: string;
  /** Texts with PEM certificates that are trusted besides the system's. */
  readonly certificates: readonly string[];
  readonly credentials?: Login | undefined;
}

/** A source whose image changes, with what is needed to ask for its version. */
export type ImageSource =
  | (CommonSettings & {
      readonly type: 'http';
      /** Lines of the form `Name: value`. */
      readonly headers: readonly string[];
      /** More such lines, which take precedence. */
      readonly secretHeaders: readonly string[];
      readonly insecureSkipVerify: boolean;
    })
  | (CommonSettings & { readonly type: 's3' })
  | (Omit<CommonSettings, 'credentials'> & {
      readonly type: 'gcs';
      /** Text of a service account's credentials.json. */
      readonly serviceAccount?: string | undefined;
    })
  | (CommonSettings & {
      readonly type: 'registry';
      /** Whether any certificate of the registry is accepted, and plain http where it does not speak TLS. */
      readonly insecureRegistry: boolean;
      /** Credentials in the format of `docker login`, for use where no others are given. */
      readonly dockerConfig?: string | undefined;
    });
