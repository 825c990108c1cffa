/** What stands behind a refusal of the kernel's: which limit, its value now, the value needed. */
import { closeSync, openSync } from 'node:fs'
import { checkInteger } from '../options.js'
import { highestLimit, readLimit, readMessageQueueLimit } from './proc.js'
import { MAX_PRIORITY } from './selection.js'

/** The memory that a POSIX queue is charged for, in bytes, as mq_overview(7) has it for 64 bits. */
export function posixCost(maxMessages: number, maxMessageSize: number): number {
  checkInteger('maxMessages', maxMessages, 1, Number.MAX_SAFE_INTEGER)
  checkInteger('maxMessageSize', maxMessageSize, 1, Number.MAX_SAFE_INTEGER)
  // struct msg_msg (48) for each message, struct posix_msg_tree_node (48) for each priority.
  const nodes = Math.min(maxMessages, MAX_PRIORITY + 1)
  return maxMessages * 48 + nodes * 48 + maxMessages * maxMessageSize
}

interface PosixWish {
  maxMessages: number
  maxMessageSize: number
}

/** `wish`: what was to be created; undefined where the queue was to be there. */
export function posixOpenHint(code: string, wish?: () => PosixWish): string | undefined {
  if (code === 'EMFILE' && (!wish || noDescriptorLeft())) {
    return 'RLIMIT_NOFILE: this process has all the open files that it may have (ulimit -n)'
  }
  if (!wish) return undefined
  if (code === 'EINVAL') {
    const { maxMessages, maxMessageSize } = wish()
    const hints = [
      over('fs.mqueue.msg_max', maxMessages, 'maxMessages'),
      over('fs.mqueue.msgsize_max', maxMessageSize, 'maxMessageSize'),
    ].filter((hint) => hint !== undefined)
    return hints.length ? hints.join('; ') : undefined
  }
  if (code === 'ENOSPC') {
    const limit = readLimit('fs.mqueue.queues_max')
    return `fs.mqueue.queues_max allows ${limit} queues and they exist: remove some, or ${raise('fs.mqueue.queues_max', limit, limit * 2)}`
  }
  if (code === 'EMFILE') {
    const { maxMessages, maxMessageSize } = wish()
    const { soft } = readMessageQueueLimit()
    const cost = posixCost(maxMessages, maxMessageSize)
    return `RLIMIT_MSGQUEUE, not open files: this queue costs ${cost} bytes of the ${soft} that all POSIX queues of this user may cost together; remove queues, make them smaller, or raise the limit (ulimit -q, LimitMSGQUEUE= in systemd) by at least ${cost}`
  }
  return undefined
}

// mq_open(3) has one errno for both limits.
function noDescriptorLeft(): boolean {
  try {
    closeSync(openSync('/dev/null', 'r'))
    return false
  } catch {
    return true
  }
}

/** How to raise a limit as far as wanted, or as far as it goes. */
function raise(sysctl: string, limit: number, wanted: number): string {
  const highest = highestLimit(sysctl)
  if (wanted <= highest) return `sysctl -w ${sysctl}=${wanted}`
  return limit < highest
    ? `sysctl -w ${sysctl}=${highest}, the most that the kernel takes`
    : 'that is the most that the kernel takes'
}

function over(sysctl: string, wanted: number, option: string): string | undefined {
  const limit = readLimit(sysctl)
  return wanted > limit
    ? `${option} ${wanted} is above ${sysctl} ${limit}: ${raise(sysctl, limit, wanted)}`
    : undefined
}

export function sysvCreateHint(code: string): string | undefined {
  if (code !== 'ENOSPC') return undefined
  const limit = readLimit('kernel.msgmni')
  const more =
    limit < highestLimit('kernel.msgmni')
      ? raise('kernel.msgmni', limit, limit * 2)
      : 'boot with ipcmni_extend, which takes more'
  return `kernel.msgmni allows ${limit} queues and they exist: remove some, or ${more}`
}

export function sysvMaxBytesHint(code: string, maxBytes: number): string | undefined {
  if (code !== 'EPERM') return undefined
  const limit = readLimit('kernel.msgmnb')
  return maxBytes > limit
    ? `maxBytes ${maxBytes} is above kernel.msgmnb ${limit}, which only CAP_SYS_RESOURCE may pass: sysctl -w kernel.msgmnb=${maxBytes}`
    : "only the queue's owner or creator may change it"
}

export function sysvLengthHint(length: number, maxBytes: number): string {
  const msgmax = readLimit('kernel.msgmax')
  return length > msgmax
    ? `${length} bytes are above kernel.msgmax ${msgmax}: ${raise('kernel.msgmax', msgmax, length)}`
    : `${length} bytes are above the queue's maxBytes ${maxBytes}: queue.configure({ maxBytes: ${length} }), up to kernel.msgmnb ${readLimit('kernel.msgmnb')}`
}

/** Of an error of pthread_create. */
export const noThread = {
  message: 'no thread can be started to wait on',
  hint: 'the number of threads is at a limit: RLIMIT_NPROC, or pids.max of the control group',
}

export function posixLengthHint(length: number, maxMessageSize: number): string {
  const longest = highestLimit('fs.mqueue.msgsize_max')
  if (length > longest) return `${length} bytes are above ${longest}, the most of any POSIX queue`
  return `${length} bytes are above the queue's maxMessageSize ${maxMessageSize}, which is fixed at its creation: create it with { maxMessageSize: ${length} }, up to fs.mqueue.msgsize_max ${readLimit('fs.mqueue.msgsize_max')}`
}
