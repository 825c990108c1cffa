/** Checks of the parts of a configuration that both kinds of queue have. */
import { checkInteger, checkMode } from '../options.js'
import type { Configuration } from './stats.js'

const MAX_ID = 2 ** 32 - 2

/** msgctl(2) takes `msg_qbytes` as a long, and the kernel goes on with its lower 32 bits. */
const MAX_BYTES = 2 ** 31 - 1

export function checkOwnership({ mode, uid, gid }: Configuration): void {
  if (mode !== undefined) checkMode('configuration.mode', mode)
  if (uid !== undefined) checkInteger('configuration.uid', uid, 0, MAX_ID)
  if (gid !== undefined) checkInteger('configuration.gid', gid, 0, MAX_ID)
}

export function checkMaxBytes(name: string, value: number | undefined): number | undefined {
  return value === undefined ? undefined : checkInteger(name, value, 1, MAX_BYTES)
}
