/** How a pipe to an agent becomes a channel: an upgrade of HTTP/1.1, asked for by the desk. */
import { type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'

const channelPath = '/gemeentecloud/fallback'
const channelProtocol = 'gemeentecloud-fallback/1'

/** Whether an upgrade that an agent was asked for is this one. */
export function isChannelRequest({ method, url, headers }: IncomingMessage): boolean {
  return method === 'GET' && url === channelPath && headers.upgrade?.toLowerCase() === channelProtocol
}

/** The agent agrees; what is on the pipe from here on are lines. */
export function acceptChannel(pipe: Duplex): void {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${channelProtocol}`]
  pipe.write(`${lines.join('\r\n')}\r\n\r\n`)
}

/** The agent answered, and not by agreeing: it may be one of before there were channels. */
export class ChannelRefused extends Error {
  override readonly name = 'ChannelRefused'
  readonly status: number

  constructor(status: number) {
    super(`the agent answered ${status} where a channel was asked for`)
    this.status = status
  }
}

/** Asks for the upgrade; resolves with what came behind the answer. Destroys the pipe and rejects when it is not agreed to. */
export function requestChannel(pipe: Duplex, signal: AbortSignal): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const asked = request({
    createConnection: () => pipe,
    host: 'agent',
    path: channelPath,
    headers: { connection: 'Upgrade', upgrade: channelProtocol },
    signal,
  })
  asked.on('upgrade', (_answer, _pipe, first: Buffer) => resolve(first))
  asked.on('response', ({ statusCode = 0 }) => {
    reject(new ChannelRefused(statusCode))
    pipe.destroy()
  })
  asked.on('error', (error) => {
    reject(error)
    pipe.destroy()
  })
  asked.end()
  return promise
}
