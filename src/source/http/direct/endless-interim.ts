/** A server keeps sending interim responses (1xx), and never a final one. */
export class EndlessInterim extends Error {
  override readonly name = 'EndlessInterim';
  readonly code = 'ENDLESS_INTERIM';
}
