/** mq_notify(3), for `PosixQueue.notify()`. */
import { native } from '../binding/native.js'
import type { Channel, Reader } from '../drivers/channel.js'
import type { PosixDriver } from '../drivers/posix-driver.js'
import type { Attempt } from './waiting.js'

const ARRIVED = 1

/** Registers; how to withdraw. Throws where it cannot. */
export function notification(
  channel: Channel<PosixDriver>,
  attempt: Attempt<void>,
): (reason: Error) => void {
  const { driver } = channel
  const notifier = new native.PosixNotifier()
  const register = () => {
    const failed = notifier.register(driver.fd)
    if (failed < 0) throw driver.error(failed, 'mq_notify')
  }
  const over = () => {
    notifier.close()
    channel.detach(reader)
  }
  const giveUp = (reason: Error) => {
    over()
    attempt.reject(reason)
  }
  const reader: Reader = {
    channelClosing(done) {
      giveUp(channel.closedError())
      done()
    },
    updateKeepAlive: () => notifier.keepAlive(channel.liveness.keep),
  }
  notifier.onnotify = (what) => {
    try {
      if (what < 0) throw driver.error(what, 'mq_notify')
      // Another descriptor of this queue was closed in this process, which removes the registration:
      // renewed, unless it has missed its message by then.
      if (what !== ARRIVED) register()
      if (what === ARRIVED || driver.attributes().messages > 0) {
        over()
        attempt.resolve()
      }
    } catch (error) {
      giveUp(error as Error)
    }
  }
  try {
    register()
  } catch (error) {
    notifier.close()
    throw error
  }
  channel.attach(reader)
  reader.updateKeepAlive()
  return giveUp
}
