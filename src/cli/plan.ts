/** Which limits a queue of a wanted size needs. */
import { highestLimit } from '../drivers/proc.js'
import { type Limits, posixCost } from '../index.js'

export type Kind = 'posix' | 'sysv'

export interface Wish {
  messages: number
  size: number
  queues: number
}

/** A limit, what it is now, and what the wish needs. */
export interface Need {
  /** A sysctl, or `RLIMIT_MSGQUEUE`. */
  name: string
  now: number
  needed: number
  enough: boolean
  /** As far as the kernel lets it be raised, where that is a sysctl. */
  most?: number
  /** What it limits, in plain words. */
  meaning: string
}

export interface Plan extends Wish {
  kind: Kind
  /** Bytes of data that the queue holds when it is full. */
  bytes: number
  needs: Need[]
  enough: boolean
  /** The command that makes the queue then. */
  create: string
}

export function planFor(kind: Kind, wish: Wish, limits: Limits): Plan {
  const needs = kind === 'posix' ? posixNeeds(wish, limits) : sysvNeeds(wish, limits)
  const { messages, size } = wish
  return {
    kind,
    ...wish,
    bytes: messages * size,
    needs,
    enough: needs.every(({ enough }) => enough),
    create:
      kind === 'posix'
        ? `kmq create /NAME --max-messages ${messages} --max-message-size ${size}`
        : `kmq create 0xKEY --max-bytes ${sysvBytes(wish)}`,
  }
}

function need(name: string, now: number, needed: number, meaning: string): Need {
  return { name, now, needed, enough: now >= needed, meaning }
}

function sysctl(name: string, now: number, needed: number, meaning: string): Need {
  return { ...need(name, now, needed, meaning), most: highestLimit(name) }
}

/** Whether no setting of the limit is enough. */
export function isBeyond({ needed, most = Number.POSITIVE_INFINITY, enough }: Need): boolean {
  return !enough && needed > most
}

function posixNeeds({ messages, size, queues }: Wish, { posix }: Limits): Need[] {
  const cost = posixCost(messages, size) * queues
  return [
    sysctl('fs.mqueue.msg_max', posix.msg_max, messages, 'messages that a queue may hold'),
    sysctl('fs.mqueue.msgsize_max', posix.msgsize_max, size, 'bytes that a message may have'),
    sysctl('fs.mqueue.queues_max', posix.queues_max, queues, 'queues on the system'),
    need(
      'RLIMIT_MSGQUEUE',
      posix.rlimit.soft,
      cost,
      'bytes that all queues of a user may cost, others than these not counted',
    ),
  ]
}

/** The kernel holds as many messages as bytes at most, so empty ones count as one byte. */
function sysvBytes({ messages, size }: Wish): number {
  return Math.max(messages * size, messages)
}

function sysvNeeds(wish: Wish, { sysv }: Limits): Need[] {
  return [
    sysctl('kernel.msgmax', sysv.msgmax, wish.size, 'bytes that a message may have'),
    sysctl('kernel.msgmnb', sysv.msgmnb, sysvBytes(wish), 'bytes that a queue may hold'),
    sysctl(
      'kernel.msgmni',
      sysv.msgmni,
      sysv.used.queues + wish.queues,
      `queues on the system, ${sysv.used.queues} of them there now`,
    ),
  ]
}
