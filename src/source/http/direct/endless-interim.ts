/** A server announces an answer again and again (1xx), and gives none. */
export class EndlessInterim extends Error {
  override readonly name = 'EndlessInterim';
  readonly code = 'ENDLESS_INTERIM';
}
