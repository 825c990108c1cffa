import { constants, openSync } from 'node:fs'

/**
 * A pipe of ours once more, so that reading or writing it never blocks: whether it does belongs to the open
 * file, which others may share with us. Undefined where the pipe is another user's, or one by name whose
 * other end has gone.
 */
export function openPipeAgain(fd: number, access: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, access | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'ENXIO') throw error
    return undefined
  }
}
