/**
 * The JSON shape of a type of client-node: the same fields, but timestamps are the RFC 3339 strings that the
 * API server sends. Nothing here parses them into dates, so that an object goes back exactly as it came.
 */
export type OnWire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? OnWire<Item>[]
    : T extends object
      ? { [Field in keyof T]: OnWire<T[Field]> }
      : T;

/** Any part of an object: what one field manager has an opinion about. `null` says: this field must not be there. */
export type Configuration<T> = T extends readonly (infer Item)[]
  ? Configuration<Item>[]
  : T extends object
    ? { [Field in keyof T]?: Configuration<T[Field]> | null }
    : T;
