// winston into a queue, by its stream transport: the level is the message's type.
//
//   npm install kernelmq winston
//   node examples/winston.js [QUEUE]
import { open } from 'kernelmq'
import winston from 'winston'

// As with pino: the more urgent, the higher, so that errors overtake on a POSIX queue.
const urgency = { error: 50, warn: 40, info: 30, http: 25, verbose: 20, debug: 15, silly: 10 }

const queue = open(process.argv[2] ?? '/logs', { create: true, access: 'write' })
const stream = queue.writable({
  // winston hands over objects; the formatted line is under this symbol.
  codec: { encode: (info) => info[Symbol.for('message')], decode: String },
  type: (info) => urgency[info.level] ?? urgency.info,
})

const logger = winston.createLogger({
  level: 'debug',
  format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
  transports: [new winston.transports.Stream({ stream })],
})

logger.debug('cache warmed')
logger.info('listening', { port: 8080 })
logger.error('upstream failed', { reason: 'no route to host' })

// Everything written is in the kernel when the stream has finished.
logger.end()
stream.on('finish', () => queue.close())
