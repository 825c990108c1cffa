/** The only importer of eventemitter3. */
import type * as eventemitter3 from 'eventemitter3'
import { require } from './package.js'

const { EventEmitter: Emitter }: typeof eventemitter3 = require('eventemitter3')

/**
 * An emitter whose errors are heard: eventemitter3 lets an `'error'` pass that nobody listens to; here
 * it is thrown, as Node's own emitter does.
 */
export class EventEmitter<
  Events extends eventemitter3.EventEmitter.ValidEventTypes,
> extends Emitter<Events> {
  protected emitError(error: Error): void {
    const heard = (this as unknown as eventemitter3.EventEmitter).emit('error', error)
    if (!heard) throw error
  }
}
