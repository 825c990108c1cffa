/** What a test is to the fixtures, for scripts: releases all that was started. */
import type { Test } from '../fixtures/queues.js'

export class Owner implements Test {
  readonly #releases: (() => unknown)[] = []

  teardown(release: () => unknown): void {
    this.#releases.push(release)
  }

  async release(): Promise<void> {
    for (const release of this.#releases.splice(0).reverse()) await release()
  }
}
