/** SIGINT, SIGTERM and SIGHUP as a request to stop in good order. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Stopping extends Disposable {
  /** Aborted by the first of them; a second one ends the process as if nobody listened. */
  readonly signal: AbortSignal
  /** Which one it was. */
  readonly by: NodeJS.Signals | undefined
}

export function stopOnSignals(): Stopping {
  const controller = new AbortController()
  let by: NodeJS.Signals | undefined
  const forget = () => {
    for (const name of signals) process.removeListener(name, stop)
  }
  const stop = (name: NodeJS.Signals) => {
    by = name
    forget()
    controller.abort()
  }
  for (const name of signals) process.on(name, stop)
  return {
    signal: controller.signal,
    get by() {
      return by
    },
    [Symbol.dispose]: forget,
  }
}

/** Lets the event loop have its turn, that is signals and timers. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
