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
import { subjectOf } from './subjects.js'

const CONSUMER_NOT_FOUND = 10014

export interface DurableOptions {
  stream: string
  /** The durable name. */
  consumer: string
  /** Only messages of this type, that is of the subject `STREAM.TYPE`. */
  type: number | bigint | undefined
  /** How many messages may be given out and not acknowledged. */
  limit: number
  ackWait: number
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

  /**
   * Makes the consumer begin with the message `wanted`, or where it stands: behind all that is
   * acknowledged and, by the account of `delivered`, behind what the kernel has.
   */
  async claim(wanted: number | undefined, delivered: number): Promise<Claim> {
    const { stream, consumer } = this.#options
    const manager = await this.#js.jetstreamManager(false)
    const { config } = await manager.streams.info(stream)
    const info = await this.#info(manager, consumer)
    const spare = await this.#info(manager, this.#spare)
    if (info) this.#check(info)
    if (!wanted && !spare && info?.num_ack_pending === 0) {
      const { consumer_seq, stream_seq } = info.delivered
      if (delivered <= stream_seq) return { from: stream_seq + 1, delivery: consumer_seq + 1 }
    }
    const from = wanted ?? placeOf(info, spare, delivered)
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
      ...(filter !== undefined && { filter_subject: filter }),
      ...(from === undefined
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }),
    })
  }
}

function placeOf(
  info: ConsumerInfo | undefined,
  spare: ConsumerInfo | undefined,
  delivered: number,
): number {
  if (info) {
    // A note beyond what this consumer gave out is about another one, which somebody has removed.
    const noted = delivered <= info.delivered.stream_seq ? delivered : 0
    return Math.max(info.ack_floor.stream_seq, noted) + 1
  }
  return spare?.config.opt_start_seq ?? 1
}
