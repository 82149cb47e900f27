/** The least it grows to, bytes: most heads are shorter. */
const FIRST_BYTES = 1024;
const EMPTY = Buffer.alloc(0);

/** Bytes put together from pieces; doubling its room, so that a server which sends single bytes does not cost their square. */
export class GrowingBuffer {
  #room: Buffer = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies the piece and returns everything so far, as a view that holds until the next call. */
  append(piece: Uint8Array): Buffer {
    const length = this.#length + piece.length;
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#room.length, length));
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    this.#room.set(piece, this.#length);
    this.#length = length;
    return this.#room.subarray(0, length);
  }

  /** Forgets the bytes and their room. */
  clear(): void {
    this.#room = EMPTY;
    this.#length = 0;
  }
}
