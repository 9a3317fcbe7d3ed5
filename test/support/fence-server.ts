/** An external fence as a datacenter would have it: a real HTTPS server that answers what the test says. */
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { createAuthority } from '../unit/shared/kubernetes/authority.ts'

export interface FenceAsked {
  readonly method: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: any
}

/** A status with a body; `cut`: the connection ends without an answer; `upgrade`: it is to become another protocol. */
export type Scripted = readonly [status: number, body: object, headers?: Record<string, string>] | 'cut' | 'upgrade'

export interface FenceServer {
  readonly url: string
  readonly certificateAuthority: string
  readonly asked: FenceAsked[]
  /** What is answered next; the last again and again. */
  answers: Scripted[]
}

export async function fenceServer(t: Test): Promise<FenceServer> {
  const authority = createAuthority('fence authority')
  const server = createServer({ ...authority.issue('fence', ['127.0.0.1']) }, async (request, response) => {
    fence.asked.push({ method: request.method, headers: request.headers, body: JSON.parse(await text(request)) })
    const [answer = 'cut'] = fence.answers.length > 1 ? fence.answers.splice(0, 1) : fence.answers
    if (answer === 'cut') return void request.socket.destroy()
    if (answer === 'upgrade')
      return void request.socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n',
      )
    const [status, body, headers = {}] = answer
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const fence: FenceServer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/fence`,
    certificateAuthority: authority.ca,
    asked: [],
    answers: [],
  }
  return fence
}
