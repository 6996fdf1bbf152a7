/** A managed object: its type and its identifier. */
export interface Reference {
  readonly type: string;
  readonly id: string;
}
