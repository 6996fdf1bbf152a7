import { getSystemErrorName } from 'node:util';
import { addressOf, type BlockingCall, has64Bits, type NativeCall, NativeLibrary } from './ffi.ts';

const SYSCALL = 'int64 syscall(int64 number, int64 a, int64 b, int64 c, int64 d, int64 e)';
/** Numbers of the system calls, for which glibc has no functions (asm/unistd_64.h, asm-generic/unistd.h). */
const NUMBERS: Readonly<Record<string, { setup: number; submit: number; getEvents: number }>> = {
  x64: { setup: 206, submit: 209, getEvents: 208 },
  arm64: { setup: 0, submit: 2, getEvents: 4 },
};

/** Layout of struct iocb, in bytes (linux/aio_abi.h). */
const IOCB = { slot: 0, opcode: 16, file: 20, address: 24, bytes: 32, offset: 40, length: 64 } as const;
/** Layout of struct io_event, in bytes. */
const EVENT = { slot: 0, result: 16, length: 32 } as const;
const POINTER_LENGTH = 8;
const TWO_32 = 2 ** 32;
const READ = 0;
const WRITE = 1;

/** Requests that the kernel has at once: more than enough to keep a disk busy. Others wait in order. */
const SLOTS = 64;

interface Request {
  readonly opcode: number;
  readonly file: number;
  /** Referenced until the kernel has done with it. */
  readonly data: Buffer;
  readonly position: number;
  readonly resolve: (bytes: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Asynchronous input and output of the kernel (io_submit(2)): many requests begin with one system call, which can merge
 * them, and none of them occupies a thread; to switch to a thread and back takes a processor longer than the request
 * itself. All files have to be opened with O_DIRECT, for others the calls are not asynchronous.
 */
export class KernelAio {
  readonly #call: NativeCall<number>;
  readonly #blockingCall: BlockingCall<number>;
  readonly #numbers: { submit: number; getEvents: number };
  readonly #context: bigint;
  readonly #iocbs = Buffer.alloc(SLOTS * IOCB.length);
  readonly #pointers = Buffer.alloc(SLOTS * POINTER_LENGTH);
  readonly #events = Buffer.alloc(SLOTS * EVENT.length);
  readonly #addressOfIocbs = Number(addressOf(this.#iocbs));
  readonly #addressOfPointers = addressOf(this.#pointers);
  readonly #addressOfEvents = addressOf(this.#events);
  readonly #free = Array.from({ length: SLOTS }, (_, slot) => slot);
  readonly #running = new Map<number, Request>();
  readonly #queue: Request[] = [];
  #isSubmitting = false;
  #isWaiting = false;

  private constructor(
    calls: { call: NativeCall<number>; blockingCall: BlockingCall<number> },
    numbers: { submit: number; getEvents: number },
    context: bigint,
  ) {
    this.#call = calls.call;
    this.#blockingCall = calls.blockingCall;
    this.#numbers = numbers;
    this.#context = context;
  }

  /** @returns null where this system does not have it, or this process may not use it */
  static create(): KernelAio | null {
    const numbers = NUMBERS[process.arch];
    if (numbers === undefined || !has64Bits) return null;
    return NativeLibrary.bind(null, (library) => {
      const call = library.call(SYSCALL);
      const context = Buffer.alloc(8);
      if (call(numbers.setup, SLOTS, addressOf(context), 0, 0, 0) !== 0) return null;
      return new KernelAio({ call, blockingCall: library.blockingCall(SYSCALL) }, numbers, context.readBigUInt64LE());
    });
  }

  /**
   * Reads into a buffer, which must not be used before the promise settles.
   *
   * @returns the number of bytes that were read: fewer at the end of the file
   * @throws Error with a system code; EINVAL where a request is not aligned
   */
  read(file: number, data: Buffer, position: number): Promise<number> {
    return this.#request(READ, file, data, position);
  }

  /**
   * Writes from a buffer, which must not change before the promise settles.
   *
   * @returns the number of bytes that were written
   * @throws Error with a system code; EINVAL where a request is not aligned
   */
  write(file: number, data: Buffer, position: number): Promise<number> {
    return this.#request(WRITE, file, data, position);
  }

  #request(opcode: number, file: number, data: Buffer, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ opcode, file, data, position, resolve, reject });
      if (this.#isSubmitting) return;
      this.#isSubmitting = true;
      // What is requested in a row is begun together.
      queueMicrotask(() => {
        this.#isSubmitting = false;
        this.#submit();
      });
    });
  }

  #submit(): void {
    const slots: number[] = [];
    for (const request of this.#queue.splice(0, this.#free.length)) slots.push(this.#prepare(request));
    for (let done = 0; done < slots.length;) {
      const count = slots.length - done;
      for (let index = 0; index < count; index += 1) {
        const address = this.#addressOfIocbs + (slots[done + index] ?? 0) * IOCB.length;
        write64(this.#pointers, address, index * POINTER_LENGTH);
      }
      const taken = this.#call(this.#numbers.submit, this.#context, count, this.#addressOfPointers, 0, 0);
      // The first one was refused, as the result cannot say otherwise; whoever requested it does it in another way.
      if (taken <= 0) this.#settle(slots[done] ?? 0, undefined);
      done += Math.max(1, taken);
    }
    this.#wait();
  }

  #prepare(request: Request): number {
    const slot = this.#free.pop() ?? 0;
    const at = slot * IOCB.length;
    write64(this.#iocbs, slot, at + IOCB.slot);
    this.#iocbs.writeUInt16LE(request.opcode, at + IOCB.opcode);
    this.#iocbs.writeUInt32LE(request.file, at + IOCB.file);
    write64(this.#iocbs, Number(addressOf(request.data)), at + IOCB.address);
    write64(this.#iocbs, request.data.length, at + IOCB.bytes);
    write64(this.#iocbs, request.position, at + IOCB.offset);
    this.#running.set(slot, request);
    return slot;
  }

  /** Waits on a thread until half of the requests have ended, so that a thread is not switched to for each of them. */
  #wait(): void {
    if (this.#isWaiting || this.#running.size === 0) return;
    this.#isWaiting = true;
    const half = Math.ceil(this.#running.size / 2);
    const done = (ended: number): void => {
      this.#isWaiting = false;
      for (let at = 0; at < ended * EVENT.length; at += EVENT.length) {
        const result =
          this.#events.readInt32LE(at + EVENT.result + 4) * TWO_32 + this.#events.readUInt32LE(at + EVENT.result);
        this.#settle(this.#events.readUInt32LE(at + EVENT.slot), result);
      }
      this.#submit();
    };
    this.#blockingCall(done, this.#numbers.getEvents, this.#context, half, SLOTS, this.#addressOfEvents, 0);
  }

  /** @param result as the kernel returns it; undefined where it has not taken the request */
  #settle(slot: number, result: number | undefined): void {
    const request = this.#running.get(slot);
    this.#running.delete(slot);
    this.#free.push(slot);
    if (result !== undefined && result >= 0) request?.resolve(result);
    else request?.reject(failure(result));
  }
}

/** Writes a number that is not negative, in two parts: a bigint for each would take longer than all the rest. */
function write64(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32LE(value % TWO_32, at);
  buffer.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}

function failure(errno: number | undefined): Error {
  const code = errno === undefined ? 'EINVAL' : getSystemErrorName(errno);
  return Object.assign(new Error(`${code}: io_submit`), { code, errno, syscall: 'io_submit' });
}

let shared: KernelAio | null | undefined;

/** Returns the one that all of this process shares; null where there is none. */
export function kernelAio(): KernelAio | null {
  // Where there is none, it is not looked for again: each time would take memory that is never freed.
  if (shared === undefined) shared = KernelAio.create();
  return shared;
}
