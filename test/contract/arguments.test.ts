/** Wrong arguments: typed errors that name them, before any system call. */
import fc from 'fast-check'
import { ftok, list, open, parseAddress, posixCost, setLimits, unlink } from 'kernelmq'
import { test } from 'tap'
import { drain, kinds, openQueue, unusedAddress } from '../fixtures/queues.js'
import { settle } from '../fixtures/streams.js'

const codes = ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE']

/** Whether an error is one of those that wrong arguments have. */
function isArgumentError(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  const right =
    (code === 'ERR_OUT_OF_RANGE' ? error instanceof RangeError : error instanceof TypeError) &&
    codes.includes(String(code)) &&
    /^The argument "[^"]+" /.test((error as Error).message)
  if (!right) throw error
  return true
}

const refused = { code: /^ERR_/, message: /^The argument "/ }

const anything = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withNullPrototype: true }),
  fc.constantFrom(Number.NaN, -0, 1.5, 2 ** 53, -(2 ** 63), '0', Symbol('s'), () => {}),
)

type Options = Record<string, unknown>

for (const kind of kinds) {
  test(`${kind}: wrong arguments`, async (t) => {
    /** A value that one option may have; every other value is to be refused. */
    const options: Record<
      string,
      [method: string, option: string, valid: (value: unknown) => boolean][]
    > = {
      send: [
        ['send', 'type', isSendType],
        ['trySend', 'type', isSendType],
      ],
      receive: [
        ['receive', 'except', isBoolean],
        ['receive', 'bigint', isBoolean],
        ['receive', 'timeout', (value) => value === undefined || isTimeout(value)],
        ['receive', 'signal', (value) => value === undefined],
        ['tryReceive', 'bigint', isBoolean],
      ],
      streams: [
        ['readable', 'highWaterMark', isMark],
        ['readable', 'bigint', isBoolean],
        ['readable', 'eof', isBoolean],
        ['readable', 'requeue', isBoolean],
        ['readable', 'objectMode', isBoolean],
        ['readable', 'ack', isBoolean],
        ['readable', 'signal', (value) => value === undefined],
        ['writable', 'highWaterMark', isMark],
        ['writable', 'type', (value) => isSendType(value) || typeof value === 'function'],
        ['writable', 'eof', isBoolean],
        ['writable', 'objectMode', isBoolean],
        ['writable', 'signal', (value) => value === undefined],
      ],
      configure: [
        ['configure', 'mode', (value) => isInteger(value, 0, 0o777)],
        ['configure', 'uid', (value) => isInteger(value, 0, 2 ** 32 - 2)],
        ['configure', 'gid', (value) => isInteger(value, 0, 2 ** 32 - 2)],
      ],
    }

    function isBoolean(value: unknown): boolean {
      return value === undefined || typeof value === 'boolean'
    }
    function isInteger(value: unknown, min: number, max: number): boolean {
      return (
        value === undefined ||
        (Number.isInteger(value) && Number(value) >= min && Number(value) <= max)
      )
    }
    function isMark(value: unknown): boolean {
      return isInteger(value, 0, 2 ** 31 - 1)
    }
    function isTimeout(value: unknown): boolean {
      return typeof value === 'number' && value >= 0 && (value < 2 ** 31 || value === Infinity)
    }
    function isSendType(value: unknown): boolean {
      if (value === undefined) return true
      if (typeof value === 'bigint') {
        return kind === 'posix' ? value >= 0n && value < 32768n : value > 0n && value < 2n ** 63n
      }
      return kind === 'posix'
        ? isInteger(value, 0, 32767)
        : isInteger(value, 1, Number.MAX_SAFE_INTEGER)
    }

    for (const [group, cases] of Object.entries(options)) {
      for (const [method, option, valid] of cases) {
        t.test(`${group}: any wrong ${option} of ${method} is refused by name`, async (t) => {
          const queue = openQueue(t, kind)
          const before = queue.stats()
          await fc.assert(
            fc.asyncProperty(
              anything.filter((value) => !valid(value)),
              async (value) => {
                const argument: Options = { [option]: value }
                const call = queue[method as 'send'].bind(queue) as (...args: unknown[]) => unknown
                const sends = method === 'send' || method === 'trySend'
                try {
                  await (sends ? call('x', argument) : call(argument))
                } catch (error) {
                  return isArgumentError(error) && (error as Error).message.includes(`.${option}`)
                }
                throw new Error('no error')
              },
            ),
            { numRuns: 60 },
          )
          t.same(queue.stats(), before)
        })
      }
    }

    t.test('any unknown option of any call is refused by name', async (t) => {
      const queue = openQueue(t, kind)
      const calls: Record<string, (options: never) => unknown> = {
        send: (options) => queue.send('x', options),
        trySend: (options) => queue.trySend('x', options),
        receive: (options) => queue.receive(options),
        tryReceive: (options) => queue.tryReceive(options),
        clear: (options) => queue.clear(options),
        configure: (options) => queue.configure(options),
        readable: (options) => queue.readable(options),
        writable: (options) => queue.writable(options),
        duplex: (options) => queue.duplex(options),
        consumer: (options) => queue.consumer(options),
        demultiplex: (options) => queue.demultiplex(options),
        open: (options) => open(queue.address, options),
      }
      for (const [name, call] of Object.entries(calls)) {
        const attempt = async () => call({ mistake: undefined } as never)
        await t.rejects(
          attempt(),
          { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message: /\.mistake"/ },
          name,
        )
        for (const options of [null, 5, 'x', [], true]) {
          await t.rejects(
            (async () => call(options as never))(),
            { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' },
            `${name}(${JSON.stringify(options)})`,
          )
        }
      }
      t.equal(queue.stats().messages, 0)
    })

    t.test('promise-returning methods reject, the others throw', async (t) => {
      const queue = openQueue(t, kind)
      for (const call of [
        () => queue.send(5 as never),
        () => queue.send('x', { type: -1 }),
        () => queue.receive({ timeout: -1 }),
        () => queue.receive({ tpye: 1 } as never),
      ]) {
        let promise: Promise<unknown> | undefined
        t.doesNotThrow(() => {
          promise = call()
        })
        await t.rejects(promise as Promise<unknown>, { code: /^ERR_/ })
      }
      t.throws(() => queue.trySend(5 as never), { code: 'ERR_INVALID_ARG_TYPE' })
      t.throws(() => queue.tryReceive({ bigint: 1 } as never), { code: 'ERR_INVALID_ARG_TYPE' })
    })

    t.test('wrong arguments take no message and send none', async (t) => {
      const queue = openQueue(t, kind)
      await queue.send('there')
      await t.rejects(queue.receive({ bigint: 'yes' } as never), refused)
      await t.rejects(queue.receive({ signal: {} } as never), refused)
      t.throws(() => queue.clear({ type: 'all' } as never), refused)
      await settle()
      t.same(
        drain(queue).map(([, text]) => text),
        ['there'],
      )
    })

    t.test('arguments are checked also on a closed handle', async (t) => {
      const queue = openQueue(t, kind)
      await queue.close()
      await t.rejects(queue.send(5 as never), refused)
    })

    t.test('any wrong option of open is refused by name, and creates nothing', async (t) => {
      const address = unusedAddress(t, kind)
      const size = kind === 'posix' ? ['maxMessages', 'maxMessageSize'] : ['maxBytes']
      const most = kind === 'posix' ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1
      const isSize = (value: unknown) => isInteger(value, 1, most)
      const cases: [string, (value: unknown) => boolean][] = [
        ['create', isBoolean],
        ['exclusive', isBoolean],
        ['mode', (value) => isInteger(value, 0, 0o777)],
        ['access', (value) => value === undefined],
        ...size.map((name) => [name, isSize] as [string, typeof isSize]),
      ]
      for (const [option, valid] of cases) {
        fc.assert(
          fc.property(
            anything.filter((value) => !valid(value)),
            (value) => {
              try {
                open(address, { create: true, [option]: value } as never)
              } catch (error) {
                return isArgumentError(error) && (error as Error).message.includes(option)
              }
              throw new Error('no error')
            },
          ),
          { numRuns: 60 },
        )
      }
      t.notOk(list().some((each) => each.address === address))
      t.throws(() => open(address), { code: 'ENOENT' })
    })

    t.test('an option of the other kind is refused by name', async (t) => {
      const address = unusedAddress(t, kind)
      for (const option of kind === 'posix' ? ['maxBytes'] : ['maxMessages', 'maxMessageSize']) {
        t.throws(() => open(address, { create: true, [option]: 10 }), {
          name: 'TypeError',
          code: 'ERR_INVALID_ARG_VALUE',
          message: new RegExp(`"options\\.${option}"`),
        })
      }
    })
  })
}

test('wrong addresses are refused', async (t) => {
  const refuse = (call: (address: never) => unknown) => {
    fc.assert(
      fc.property(
        fc.oneof(anything, fc.dictionary(fc.string(), fc.anything())).filter((value) => {
          return (
            !(typeof value === 'number' && Number.isInteger(value) && value !== 0) &&
            // A string of digits is a key, and unlink() would take its queue away.
            !(typeof value === 'string' && /^(-?\d|\/|posix:|sysv:)/.test(value)) &&
            !Array.isArray(value)
          )
        }),
        (address) => {
          try {
            call(address as never)
          } catch (error) {
            return isArgumentError(error)
          }
          throw new Error('no error')
        },
      ),
    )
  }
  t.test('by open', async () => refuse((address) => open(address)))
  t.test('by unlink', async () => refuse((address) => unlink(address)))
  t.test('by parseAddress', async () => refuse((address) => parseAddress(address)))
})

test('wrong arguments of module functions are refused', async (t) => {
  for (const call of [
    () => ftok(5 as never, 1),
    () => ftok('', 1),
    () => ftok('/', 0),
    () => ftok('/', 256),
    () => ftok('/', 'ab'),
    () => ftok('/', 'ü'),
    () => ftok('/', null as never),
    () => ftok('/\0', 1),
    () => posixCost(-1, 5),
    () => posixCost(5, 1.5),
    () => posixCost('5' as never, 5),
    () => posixCost(undefined as never, 5),
    () => setLimits(null as never),
    () => setLimits({ sysv: { msgmax: -1 } }),
    () => setLimits({ sysv: { msgmax: '1' } } as never),
    () => setLimits({ sysv: { msg_max: 1 } } as never),
    () => setLimits({ posix: { msgmax: 1 } } as never),
    () => setLimits({ posix: 5 } as never),
    () => setLimits({ system: {} } as never),
  ]) {
    t.throws(call, refused, String(call))
  }
})
