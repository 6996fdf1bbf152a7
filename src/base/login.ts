/** A user and a password. */
export interface Login {
  readonly user: string;
  readonly password: string;
}
