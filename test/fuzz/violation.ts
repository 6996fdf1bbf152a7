/** Something that nothing from outside may bring about. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
