/** What stands behind a refusal of the kernel's: which limit, its value now, the value needed. */
import { checkInteger } from '../options.js'
import { readLimit, readMessageQueueLimit } from './proc.js'

/** The memory that a POSIX queue is charged for, in bytes, as mq_overview(7) has it for 64 bits. */
export function posixCost(maxMessages: number, maxMessageSize: number): number {
  checkInteger('maxMessages', maxMessages, 1, Number.MAX_SAFE_INTEGER)
  checkInteger('maxMessageSize', maxMessageSize, 1, Number.MAX_SAFE_INTEGER)
  // struct msg_msg (48) and struct posix_msg_tree_node (48) for each message.
  return maxMessages * 96 + maxMessages * maxMessageSize
}

interface PosixWish {
  maxMessages: number
  maxMessageSize: number
}

export function posixOpenHint(code: string, wish: PosixWish): string | undefined {
  if (code === 'EINVAL') {
    const hints = [
      over('fs.mqueue.msg_max', wish.maxMessages, 'maxMessages'),
      over('fs.mqueue.msgsize_max', wish.maxMessageSize, 'maxMessageSize'),
    ].filter((hint) => hint !== undefined)
    return hints.length ? hints.join('; ') : undefined
  }
  if (code === 'ENOSPC') {
    const limit = readLimit('fs.mqueue.queues_max')
    return `fs.mqueue.queues_max allows ${limit} queues and they exist: remove some, or sysctl -w fs.mqueue.queues_max=${limit * 2}`
  }
  if (code === 'EMFILE') {
    const { soft } = readMessageQueueLimit()
    const cost = posixCost(wish.maxMessages, wish.maxMessageSize)
    return `most likely RLIMIT_MSGQUEUE, seldom open files (RLIMIT_NOFILE): this queue costs ${cost} bytes of the ${soft} that all POSIX queues of this user may cost together; remove queues, make them smaller, or raise the limit (ulimit -q, LimitMSGQUEUE= in systemd) by at least ${cost}`
  }
  return undefined
}

function over(sysctl: string, wanted: number, option: string): string | undefined {
  const limit = readLimit(sysctl)
  return wanted > limit
    ? `${option} ${wanted} is above ${sysctl} ${limit}: sysctl -w ${sysctl}=${wanted}`
    : undefined
}

export function sysvCreateHint(code: string): string | undefined {
  if (code !== 'ENOSPC') return undefined
  const limit = readLimit('kernel.msgmni')
  return `kernel.msgmni allows ${limit} queues and they exist: remove some, or sysctl -w kernel.msgmni=${limit * 2}`
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
    ? `${length} bytes are above kernel.msgmax ${msgmax}: sysctl -w kernel.msgmax=${length}`
    : `${length} bytes are above the queue's maxBytes ${maxBytes}: queue.configure({ maxBytes: ${length} }), up to kernel.msgmnb ${readLimit('kernel.msgmnb')}`
}

export function posixLengthHint(length: number, maxMessageSize: number): string {
  return `${length} bytes are above the queue's maxMessageSize ${maxMessageSize}, which is fixed at its creation: create it with { maxMessageSize: ${length} }, up to fs.mqueue.msgsize_max ${readLimit('fs.mqueue.msgsize_max')}`
}
