/** One line on stderr that tells where the run is; where stderr is no terminal, a plain line for each step. */
import ora from 'ora'

/** @param {number} steps */
export function startProgress(steps) {
  const spinner = process.stderr.isTTY ? ora({ stream: process.stderr }).start() : null
  let done = 0
  return {
    /** @param {string} what */
    step(what) {
      const line = `${++done}/${steps} ${what}`
      if (spinner) spinner.text = line
      else process.stderr.write(`${line}\n`)
    },
    stop: () => spinner?.stop(),
  }
}
