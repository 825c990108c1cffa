/** The stream at the other end: created if it is not there, and looked at if it is. */
import {
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/transport-node'
import { explain, isApiError, STREAM_NOT_FOUND } from './connection.js'
import { BridgeError } from './errors.js'

const SUBJECTS_OVERLAP = 10065

export interface StreamOptions {
  /** `STREAM`; it stores the subjects `STREAM.>`. */
  stream: string
  /** Create it if it is not there. Default `true`. */
  create?: boolean
  /** Only to be read: it may store any subjects. Default `false`. */
  reading?: boolean
  /** Of a stream created here. Default: no limits, one replica, two minutes, all kept. */
  maxBytes?: number
  replicas?: number
  /** Milliseconds for which JetStream knows ids again. */
  duplicateWindow?: number
  retention?: 'limits' | 'workqueue'
}

/** The stream, which stores `STREAM.>`; file storage where it is created here. */
export async function ensureStream(
  connection: NatsConnection,
  { stream, create = true, reading = false, ...limits }: StreamOptions,
): Promise<StreamInfo> {
  const subject = `${stream}.>`
  try {
    const { streams } = await jetstreamManager(connection)
    let info: StreamInfo
    try {
      info = await streams.info(stream)
    } catch (error) {
      if (!create || !isApiError(error, STREAM_NOT_FOUND)) throw error
      info = await streams.add({
        name: stream,
        subjects: [subject],
        storage: StorageType.File,
        // A full stream refuses what is new, and the queue holds it; the default would drop the oldest.
        discard: DiscardPolicy.New,
        retention:
          limits.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
        ...(limits.maxBytes !== undefined && { max_bytes: limits.maxBytes }),
        ...(limits.replicas !== undefined && { num_replicas: limits.replicas }),
        ...(limits.duplicateWindow !== undefined && {
          duplicate_window: nanos(limits.duplicateWindow),
        }),
      })
    }
    if (!reading) checkSubjects(info, subject)
    return info
  } catch (error) {
    if (isApiError(error, SUBJECTS_OVERLAP)) {
      throw new BridgeError('ERR_STREAM_SUBJECTS', `another stream stores ${subject} already`, {
        hint: 'choose another name for the stream',
        cause: error,
      })
    }
    throw explain(error, `stream ${stream}`)
  }
}

function checkSubjects({ config }: StreamInfo, subject: string): void {
  // A mirror, or a stream that has others for its sources, has no subjects to publish to.
  if (config.subjects?.some((each) => each === subject || each === '>')) return
  throw new BridgeError(
    'ERR_STREAM_SUBJECTS',
    `the stream ${config.name} exists and stores ${config.subjects?.join(', ') || 'no subjects'}, not ${subject}`,
    { hint: `nats stream edit ${config.name} --subjects '${subject}', or choose another name` },
  )
}
