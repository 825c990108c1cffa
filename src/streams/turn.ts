/**
 * How much is done before the event loop gets its turn. Streams go on by process.nextTick, which comes
 * before timers and sockets: under a flood these would starve. All streams of a thread share the
 * budget, for they share the loop.
 */
const BUDGET = 1024 * 1024
/** What a message costs beside its bytes, so that the budget is about a millisecond's work. */
const PER_MESSAGE = 1024

let left = BUDGET

/** Counts work done: messages and their bytes. */
export function spend(messages: number, bytes: number): void {
  left -= messages * PER_MESSAGE + bytes
}

/** Calls back at once if the turn is not used up, else in the next one. */
export function proceed(callback: () => void): void {
  if (left > 0) {
    process.nextTick(callback)
    return
  }
  setImmediate(() => {
    left = BUDGET
    callback()
  })
}

/** Whether the turn is used up. */
export function exhausted(): boolean {
  return left <= 0
}
