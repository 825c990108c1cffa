/**
 * How often to look again, a turn of the event loop apart, before going to sleep. Sleeping and waking
 * cost both sides several microseconds, the other side's next message often comes sooner: a brisk
 * exchange never sleeps at all. Who waits for long learns not to look.
 */
const MOST_TURNS = 24
/** A sleep shorter than this would have been spared by looking. */
const BRIEF_MS = 0.2

export class Patience {
  #limit = MOST_TURNS
  #turns = 0
  #asleepSince = 0

  /** Whether to look once more; if not, the caller goes to sleep. */
  more(): boolean {
    if (this.#turns < this.#limit) {
      this.#turns++
      return true
    }
    this.#turns = 0
    this.#limit >>= 1
    this.#asleepSince = performance.now()
    return false
  }

  /** What was waited for is there, without sleep. */
  found(): void {
    this.#turns = 0
  }

  woke(): void {
    if (performance.now() - this.#asleepSince < BRIEF_MS) this.#limit = MOST_TURNS
  }
}
