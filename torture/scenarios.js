/** What is done to the queues, and what must come of it. */
const HIGH_WATER_MARK = 16
const MANY = 4

/** How often clean stops by SIGTERM are made: each takes a process of its own. */
const TERMINATED = 1 / 6

function times(count, make) {
  return Array.from({ length: count }, (_, index) => make(index))
}

async function finish(stage, producers, consumers) {
  await Promise.all(producers.map((producer) => producer.done()))
  await stage.drained()
  await Promise.all(consumers.map((consumer) => consumer.stop()))
}

/** 4 producers, 4 consumers: all arrive, once. */
async function plain(stage, { messages }) {
  const consumers = times(MANY, () => stage.consumer())
  const producers = times(MANY, () => stage.producer({ count: Math.ceil(messages / MANY) }))
  await finish(stage, producers, consumers)
  return {}
}

/** 4 producers, 1 consumer: in order, by producer and type. */
async function order(stage, { messages }) {
  const consumer = stage.consumer()
  const producers = times(MANY, () => stage.producer({ count: Math.ceil(messages / MANY) }))
  await finish(stage, producers, [consumer])
  return {}
}

/** Random consumers are killed: each takes what it held with it, at most. */
async function consumersKilled(stage, { kills }) {
  const producers = times(MANY, () => stage.producer())
  const enough = stage.killed(kills)
  const loops = times(MANY, () => stage.killing(() => stage.consumer({ durable: true }), enough))
  await Promise.all(loops)
  const rest = times(MANY, () => stage.consumer({ durable: true }))
  await Promise.all(producers.map((producer) => producer.stop()))
  await finish(stage, [], rest)
  return { bounds: { lost: stage.kills * (HIGH_WATER_MARK + 1) } }
}

/** Random producers are killed: what their callbacks confirmed arrives. */
async function producersKilled(stage, { kills }) {
  const consumers = times(MANY, () => stage.consumer())
  const enough = stage.killed(kills)
  await Promise.all(
    times(MANY, () => stage.killing(() => stage.producer({ durable: true }), enough)),
  )
  await finish(stage, [], consumers)
  // Messages may be in the kernel whose callbacks had not been called yet.
  return { bounds: { unconfirmed: Infinity } }
}

/** Ack mode, and its consumer killed: nothing is lost, little comes twice. */
async function ackKilled(stage, { ackMessages, kills }) {
  const producers = times(MANY, () => stage.producer({ count: Math.ceil(ackMessages / MANY) }))
  const sent = Promise.all(producers.map((producer) => producer.done()))
  const enough = Promise.race([sent, stage.killed(kills)])
  await stage.killing(() => stage.consumer({ ack: true, durable: true }), enough)
  await finish(stage, producers, [stage.consumer({ ack: true, durable: true })])
  return { bounds: { repeated: stage.kills * HIGH_WATER_MARK } }
}

/** Consumers stop in every clean way, again and again, under a flood. */
async function consumersStopped(stage, { cycles }) {
  const terminated = Math.ceil(cycles * TERMINATED)
  const producer = stage.producer()
  const output = await stage.stoppingConsumer(cycles - terminated).done()
  for (let cycle = 0; cycle < terminated; cycle++) {
    const consumer = stage.consumer()
    await consumer.begun
    await consumer.stop()
  }
  const last = stage.consumer()
  await finish(stage, [{ done: () => producer.stop() }], [last])
  const { carried } = JSON.parse(output)
  return {
    cycles,
    note: `${carried} frames told by ERR_FRAMES_LOST`,
    // What is put back goes to the tail of its type.
    bounds: { unordered: Infinity },
  }
}

/** Producers stop in every clean way, again and again. */
async function producersStopped(stage, { cycles }) {
  const terminated = Math.ceil(cycles * TERMINATED)
  const consumer = stage.consumer()
  await stage.stoppingProducer(cycles - terminated).done()
  for (let cycle = 0; cycle < terminated; cycle++) {
    const producer = stage.producer()
    await producer.begun
    await producer.stop()
  }
  await finish(stage, [], [consumer])
  return { cycles }
}

/** Ack mode against plain mode, one consumer, nobody killed. */
async function ack(stage, { ackMessages }) {
  const consumer = stage.consumer({ ack: true })
  const producers = times(MANY, () => stage.producer({ count: Math.ceil(ackMessages / MANY) }))
  await finish(stage, producers, [consumer])
  return {}
}

export const scenarios = {
  plain: { run: plain },
  order: { run: order },
  ack: { run: ack, kinds: ['sysv'] },
  'ack-killed': { run: ackKilled, kinds: ['sysv'] },
  'consumers-killed': { run: consumersKilled },
  'producers-killed': { run: producersKilled },
  'consumers-stopped': { run: consumersStopped },
  'producers-stopped': { run: producersStopped },
}

/** How much is done in each scenario. */
export const sizes = {
  short: { messages: 40_000, ackMessages: 40_000, kills: 8, cycles: 36, seconds: 120 },
  long: { messages: 10_000_000, ackMessages: 1_000_000, kills: 250, cycles: 1000, seconds: 3600 },
}
