/** The connection to NATS: how it is made, and what its refusals mean. */
import { readFileSync } from 'node:fs'
import { JetStreamApiError, type JetStreamClient } from '@nats-io/jetstream'
import {
  AuthorizationError,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  NoRespondersError,
  nkeyAuthenticator,
  PermissionViolationError,
} from '@nats-io/transport-node'
import { argumentError } from '../errors.js'
import { BridgeError } from './errors.js'
import { hidePassword } from './hide-password.js'

/** The first and the longest time between two attempts to connect, or to publish again. */
export const BACKOFF = { first: 100, last: 5000 }

/** What comes after `failures` failures in a row, with jitter: many bridges must not come back at once. */
export function backoff(failures: number): number {
  const delay = Math.min(BACKOFF.last, BACKOFF.first * 2 ** Math.min(failures, 16))
  return delay / 2 + Math.random() * (delay / 2)
}

/** JetStream's number. */
export const STREAM_NOT_FOUND = 10059

export function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code
}

export interface Credentials {
  /** A file with a JWT and its seed; by default the variable `NATS_CREDS`. */
  creds?: string
  /** A file with an nkey's seed; `NATS_NKEY`. */
  nkey?: string
  user?: string
  password?: string
  token?: string
  /** PEM files: `NATS_CA`, `NATS_CERT`, `NATS_KEY`. */
  tlsCa?: string
  tlsCert?: string
  tlsKey?: string
}

/** `nats://host:port/STREAM`, several servers with commas; `tls://` asks for encryption. */
export interface NatsAddress {
  servers: string[]
  stream: string
  tls: boolean
  user?: string
  password?: string
}

export function isNatsAddress(text: string): boolean {
  return /^(nats|tls):\/\//i.test(text)
}

export function parseNatsAddress(text: string): NatsAddress {
  const [, scheme = '', authority = '', stream = ''] =
    /^(nats|tls):\/\/([^/]+)\/([^/]+)$/i.exec(text) ?? []
  const urls = authority.split(',').map((part) => URL.parse(`nats://${part}`))
  if (!stream || urls.some((url) => !url?.hostname)) {
    const wanted = 'must be like nats://host:port/STREAM'
    throw argumentError('ERR_INVALID_ARG_VALUE', 'address', wanted, hidePassword(text))
  }
  const [{ username, password }] = urls as [URL]
  return {
    servers: (urls as URL[]).map((url) => `${url.hostname}:${url.port || 4222}`),
    stream: decodeURIComponent(stream),
    tls: scheme.toLowerCase() === 'tls',
    ...(username && { user: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  }
}

/** Connects; afterwards the client reconnects by itself, for as long as it takes. */
export async function connectTo(
  address: NatsAddress,
  given: Credentials = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<NatsConnection> {
  const options = connectionOptions(address, given, env)
  try {
    return await connect(options)
  } catch (error) {
    throw explain(error, `cannot connect to ${address.servers.join(', ')}`)
  }
}

function connectionOptions(
  { servers, tls, ...url }: NatsAddress,
  given: Credentials,
  env: NodeJS.ProcessEnv,
): NodeConnectionOptions {
  let failures = 0
  const creds = given.creds ?? env.NATS_CREDS
  const nkey = given.nkey ?? env.NATS_NKEY
  const user = url.user ?? given.user ?? env.NATS_USER
  const pass = url.password ?? given.password ?? env.NATS_PASSWORD
  const token = given.token ?? env.NATS_TOKEN
  const caFile = given.tlsCa ?? env.NATS_CA
  const certFile = given.tlsCert ?? env.NATS_CERT
  const keyFile = given.tlsKey ?? env.NATS_KEY
  const encryption = {
    ...(caFile && { caFile }),
    ...(certFile && { certFile }),
    ...(keyFile && { keyFile }),
  }
  const options: ConnectionOptions = {
    servers,
    name: 'kernelmq',
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => backoff(failures++),
    pingInterval: 10_000,
    ...((tls || Object.keys(encryption).length > 0) && { tls: encryption }),
    ...(user && { user }),
    ...(pass && { pass }),
    // As in the NATS clients, a user without a password is a token.
    ...(user && !pass && { token: user }),
    ...(token && { token }),
  }
  if (creds) options.authenticator = credsAuthenticator(readFileSync(creds))
  else if (nkey)
    options.authenticator = nkeyAuthenticator(Buffer.from(readFileSync(nkey, 'utf8').trim()))
  return options
}

interface WithConnection {
  getConnection?(): NatsConnection
}

/** The connection of a JetStream client, which has it but does not declare it. */
export function connectionOf(js: JetStreamClient): NatsConnection {
  const connection = (js as WithConnection).getConnection?.()
  if (!connection) throw new TypeError('The argument "js" must be a client made by jetstream()')
  return connection
}

/** In plain words, what an error of the client's means; errors that pass are left as they are. */
export function explain(error: unknown, what: string): Error {
  const cause = error instanceof Error ? error : new Error(String(error))
  const chain = [cause, cause.cause]
  const has = (type: abstract new (...args: never[]) => Error) =>
    chain.some((each) => each instanceof type)
  if (cause instanceof BridgeError) return cause
  if (has(AuthorizationError)) {
    return new BridgeError(
      'ERR_NATS_AUTHORIZATION',
      `${what}: the server refuses the credentials`,
      {
        hint: 'user:password@ in the URL, --creds FILE, or NATS_CREDS, NATS_USER and NATS_PASSWORD',
        cause,
      },
    )
  }
  const denied = chain.find((each) => each instanceof PermissionViolationError)
  if (denied) return permissionError(denied as PermissionViolationError, what)
  if (isApiError(cause, STREAM_NOT_FOUND)) {
    return new BridgeError('ERR_STREAM_NOT_FOUND', `${what}: there is no such stream`, { cause })
  }
  // This class is not exported.
  if (cause.name === 'JetStreamNotEnabled' || has(NoRespondersError)) {
    return new BridgeError('ERR_JETSTREAM_DISABLED', `${what}: there is no JetStream`, {
      hint: 'start the server with -js, or enable JetStream for the account',
      cause,
    })
  }
  const { code } = cause as NodeJS.ErrnoException
  const network = /^(ECONN|EHOST|ENET|ENOTFOUND|EAI_|ETIMEDOUT|EPIPE)/
  if (
    cause.name === 'ConnectionError' ||
    cause.name === 'TimeoutError' ||
    network.test(`${code}`)
  ) {
    return new BridgeError('ERR_NATS_UNREACHABLE', `${what}: ${cause.message}`, { cause })
  }
  return cause
}

export function permissionError(error: PermissionViolationError, what: string): BridgeError {
  return new BridgeError('ERR_NATS_PERMISSION', `${what}: ${error.message}`, {
    hint: `the user needs permission to ${error.operation === 'publish' ? 'publish to' : 'subscribe to'} ${error.subject}`,
    cause: error,
  })
}
