/** The NBD protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md */

export const SERVER_MAGIC = 0x4e42444d41474943n;
export const OPTION_MAGIC = 0x49484156454f5054n;
export const OPTION_REPLY_MAGIC = 0x3e889045565a9n;
export const REQUEST_MAGIC = 0x25609513;
export const SIMPLE_REPLY_MAGIC = 0x67446698;
export const STRUCTURED_REPLY_MAGIC = 0x668e33ef;

/** Flags of the handshake, for the server and the client alike. */
export const HandshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const Option = { go: 7, structuredReply: 8, setMetaContext: 10 } as const;
export const OptionReply = { acknowledge: 1, info: 3, metaContext: 4 } as const;
/** Replies to options from this one on are errors. */
export const FIRST_OPTION_ERROR = 0x8000_0001;
export const Information = { export: 0, blockSize: 3 } as const;

export const Command = { read: 0, disconnect: 2, blockStatus: 7 } as const;
/** The last chunk of a reply. */
export const LAST_CHUNK = 1;
export const Chunk = { none: 0, data: 1, hole: 2, blockStatus: 5 } as const;
/** Chunks from this type on are errors. */
export const FIRST_ERROR_CHUNK = 0x8000;

/** The context that tells what is allocated, and what its flags say. */
export const ALLOCATION = 'base:allocation';
export const AllocationFlag = { hole: 1, zero: 2 } as const;
