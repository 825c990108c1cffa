/**
 * A durable consumer, claimed by the one who reads now.
 *
 * What the last reader was given and did not acknowledge, JetStream gives out again only when its time
 * is over, and behind what is newer. So a consumer with such messages is made again, from the first of
 * them on: they come at once, and in order. A second consumer holds the place meanwhile, so that a kill
 * between any two of these steps loses nothing.
 */
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  RetentionPolicy,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { isApiError } from './connection.js'
import { BridgeError } from './errors.js'
import { type Place, START } from './position-file.js'
import { subjectOf } from './subjects.js'

const CONSUMER_NOT_FOUND = 10014
/** What the description of a consumer of ours begins with. */
const MARK = 'kernelmq '

export interface DurableOptions {
  stream: string
  /** The durable name. */
  consumer: string
  /** Only messages of this type, that is of the subject `STREAM.TYPE`. */
  type: number | bigint | undefined
  /** How many messages may be given out and not acknowledged. */
  limit: number
  ackWait: number
  /** What the consumer bears, where a file keeps the position: notes are about no other one. */
  id: string | undefined
}

/** What the claimed consumer will deliver. */
export interface Claim {
  /** The sequence in the stream from which on messages are new. */
  from: number
  /** The sequence of the consumer's own that comes next. */
  delivery: number
}

export class Durable {
  readonly #js: JetStreamClient
  readonly #options: DurableOptions
  readonly #filter: string | undefined

  constructor(js: JetStreamClient, options: DurableOptions) {
    this.#js = js
    this.#options = options
    const { stream, type } = options
    this.#filter = type === undefined ? undefined : subjectOf(stream, type)
  }

  /** Whether notes of an earlier reader are about this consumer, not about one before it. */
  async isMine(): Promise<boolean> {
    const manager = await this.#js.jetstreamManager(false)
    const { consumer } = this.#options
    const info = (await this.#info(manager, consumer)) ?? (await this.#info(manager, this.#spare))
    return info !== undefined && info.config.description === this.#description
  }

  /**
   * Whether the stream still has this message, as far as it can tell. One that was restored, or whose
   * server lost the newest messages, gives the same numbers to others.
   */
  async remembers({ sequence, time }: Place): Promise<boolean> {
    if (sequence === START.sequence) return true
    const { streams } = await this.#js.jetstreamManager(false)
    const { state } = await streams.info(this.#options.stream)
    if (sequence > state.last_seq) return false
    const message = await streams.getMessage(this.#options.stream, { seq: sequence })
    return !message || message.time.getTime() === time
  }

  /**
   * Makes the consumer begin with the message `wanted`, or where it stands: behind all that is
   * acknowledged and behind `delivered`, which the kernel has.
   */
  async claim(wanted: number | undefined, delivered: number): Promise<Claim> {
    const { stream, consumer } = this.#options
    const manager = await this.#js.jetstreamManager(false)
    const { config, state } = await manager.streams.info(stream)
    const info = await this.#info(manager, consumer)
    const spare = await this.#info(manager, this.#spare)
    if (info) this.#check(info)
    if (!wanted && !spare && info?.num_ack_pending === 0) {
      const { consumer_seq, stream_seq } = info.delivered
      const mine = !this.#description || info.config.description === this.#description
      if (mine && delivered <= stream_seq)
        return { from: stream_seq + 1, delivery: consumer_seq + 1 }
    }
    const from = wanted ?? Math.max(placeOf(info, spare, state.last_seq), delivered + 1)
    if (config.retention === RetentionPolicy.Workqueue) {
      // What is acknowledged is gone from such a stream, and it takes one consumer only.
      if (info) await manager.consumers.delete(stream, consumer)
      await this.#add(manager, consumer, undefined)
    } else if (!info && !spare) {
      await this.#add(manager, consumer, wanted)
    } else {
      if (info) {
        if (spare) await manager.consumers.delete(stream, this.#spare)
        await this.#add(manager, this.#spare, from)
        await manager.consumers.delete(stream, consumer)
      }
      await this.#add(manager, consumer, from)
      await manager.consumers.delete(stream, this.#spare)
    }
    return { from, delivery: 1 }
  }

  get #spare(): string {
    return `${this.#options.consumer}-handover`
  }

  get #description(): string | undefined {
    const { id } = this.#options
    return id && `${MARK}${id}`
  }

  async #info(manager: JetStreamManager, name: string): Promise<ConsumerInfo | undefined> {
    try {
      return await manager.consumers.info(this.#options.stream, name)
    } catch (error) {
      if (isApiError(error, CONSUMER_NOT_FOUND)) return undefined
      throw error
    }
  }

  #check({ config }: ConsumerInfo): void {
    const { consumer } = this.#options
    const filter = this.#filter
    if (config.ack_policy === AckPolicy.Explicit && config.filter_subject === filter) return
    const problem = `the consumer ${consumer} exists and is for ${config.filter_subject || 'all subjects'}`
    throw new BridgeError('ERR_STREAM_SUBJECTS', `${problem}, not for ${filter ?? 'all'}`, {
      hint: 'choose another name for the consumer',
    })
  }

  async #add(manager: JetStreamManager, name: string, from: number | undefined): Promise<void> {
    const { stream, limit, ackWait } = this.#options
    const filter = this.#filter
    await manager.consumers.add(stream, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWait),
      max_ack_pending: limit,
      ...(this.#description && { description: this.#description }),
      ...(filter !== undefined && { filter_subject: filter }),
      ...(from === undefined
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }),
    })
  }
}

/** The first message that JetStream knows no acknowledgement of. */
function placeOf(
  info: ConsumerInfo | undefined,
  spare: ConsumerInfo | undefined,
  last: number,
): number {
  if (!info) return spare?.config.opt_start_seq ?? 1
  const place = info.ack_floor.stream_seq + 1
  const { description, opt_start_seq: begin = 1 } = info.config
  // Of a consumer that has delivered nothing yet, a killed server forgets all but where it is to begin.
  // Where one of ours began says nothing: since then the stream may have gone back.
  const meant = !description?.startsWith(MARK) && info.delivered.consumer_seq === 0
  return meant && begin <= last ? Math.max(place, begin) : place
}
