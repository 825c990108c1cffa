// pino into a queue: the level is the message's type. Read it with: kmq recv /logs
//
//   npm install kernelmq pino
//   node examples/pino.js [QUEUE]
import pino from 'pino'

const queue = process.argv[2] ?? '/logs'

const logger = pino({
  level: 'debug',
  transport: { target: 'kernelmq/pino', options: { queue, create: true, onFull: 'drop-old' } },
})

logger.debug('cache warmed')
logger.info({ port: 8080 }, 'listening')
logger.error({ err: new Error('no route to host') }, 'upstream failed')
