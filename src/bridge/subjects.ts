/** How a frame travels: its type as the subject's last token and as a header, its data as it is. */
import type { JsMsg } from '@nats-io/jetstream'
import { argumentError } from '../errors.js'

export const TYPE_HEADER = 'Kmq-Type'

/** Frames as large as this, for headers and subject, do not come near a server's limits. */
export function subjectOf(stream: string, type: number | bigint): string {
  return `${stream}.${type}`
}

/** The type of a message, by its header or, from another publisher, its subject. */
export function typeOf(message: JsMsg): number | bigint | undefined {
  const text = message.headers?.get(TYPE_HEADER) || message.subject.split('.').at(-1)
  if (!text || !/^\d{1,19}$/.test(text)) return undefined
  const type = Number(text)
  return Number.isSafeInteger(type) ? type : BigInt(text)
}

/** What NATS takes as the name of a stream or a consumer, and what is one token of a subject. */
export function checkName(what: string, name: unknown): string {
  if (typeof name === 'string' && /^[^\s.*>/\\\0]{1,255}$/.test(name)) return name
  const wanted = 'must be one word without . * > / and spaces'
  throw argumentError('ERR_INVALID_ARG_VALUE', what, wanted, name)
}
