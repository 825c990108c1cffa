/** The way back into the queue for what was taken and not handed over. */
import { QueueError } from '../errors.js'
import type { Frame } from '../frame.js'
import type { Driver } from './driver.js'
import { outbox } from './records.js'

/** Sends frames back, each to the tail of its type, without waiting; returns what did not fit. */
export function putBack(driver: Driver, frames: readonly Frame[]): Frame[] {
  for (const [index, frame] of frames.entries()) {
    outbox.clear()
    outbox.add(frame.type, frame.data)
    if (driver.putBack(outbox.bytes, 0, 1) !== 1) return frames.slice(index)
  }
  return []
}

/** The error that carries what could not be put back, so that it is not lost silently. */
export function framesLost(driver: Driver, frames: Frame[], cause?: unknown): QueueError {
  return new QueueError('ERR_FRAMES_LOST', {
    address: driver.address,
    message: `${frames.length} frame(s) taken from the queue could not be put back`,
    hint: 'the queue is full, or gone, or may not be written; the error has them as `frames`',
    frames,
    ...(cause === undefined ? {} : { cause }),
  })
}
