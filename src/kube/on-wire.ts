/**
 * The JSON shape of a type of client-node: the same fields, but timestamps are the RFC 3339 strings that the API server
 * sends. Nothing here parses them into dates, so that an object is sent back exactly as it was received.
 */
export type OnWire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? OnWire<Item>[]
    : T extends object
      ? { [Field in keyof T]: OnWire<T[Field]> }
      : T;

/** Any part of an object: the fields that one field manager owns. `null` states that the field must be absent. */
export type Configuration<T> = T extends readonly (infer Item)[]
  ? Configuration<Item>[]
  : T extends object
    ? { [Field in keyof T]?: Configuration<T[Field]> | null }
    : T;
