/** The only importer of eventemitter3. */
import { EventEmitter as Emitter } from 'eventemitter3'

/**
 * An emitter whose errors are heard: eventemitter3 lets an `'error'` pass that nobody listens to; here
 * it is thrown, as Node's own emitter does.
 */
export class EventEmitter<Events extends Emitter.ValidEventTypes> extends Emitter<Events> {
  protected emitError(error: Error): void {
    const heard = (this as unknown as Emitter).emit('error', error)
    if (!heard) throw error
  }
}
