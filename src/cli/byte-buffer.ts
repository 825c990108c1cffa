const FIRST = 128 * 1024

/** Bytes put together to be written at once, in memory that is used again and again. */
export class ByteBuffer {
  #memory = Buffer.allocUnsafeSlow(FIRST)
  length = 0

  /** Good until more is added. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }

  add(piece: Uint8Array): void {
    const needed = this.length + piece.length
    if (needed > this.#memory.length) {
      const before = this.bytes
      this.#memory = Buffer.allocUnsafeSlow(Math.max(needed, 2 * before.length))
      this.#memory.set(before)
    }
    this.#memory.set(piece, this.length)
    this.length = needed
  }
}
