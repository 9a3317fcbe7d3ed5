/** Everything that an agent sends, in the clear: it joins by way of here, and its tunnel is opened and sealed again. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer, connect as dialTls, type TLSSocket } from 'node:tls'
import { systemRandom } from '../../services/shared/random.ts'
import { issueServer } from '../../services/shared/x509.ts'
import { newAuthority, validity } from './tunnel.ts'

export interface Wiretap {
  /** In the place of the desk's origin. */
  readonly url: string
  /** Bodies of its requests, the tunnel as it was sent, and what each pipe carried, apart from one another. */
  sent(): readonly Buffer[]
  close(): void
}

const alpn = 'gemeentecloud-tunnel'

/** `desk` is the origin; `kept` says in which file the agent has its key. */
export async function startWiretap(desk: string, kept: () => string): Promise<Wiretap> {
  const authority = await newAuthority('wiretap')
  const identity = await issueServer(authority, ['localhost', '127.0.0.1'], validity(), systemRandom)
  const asked: Buffer[] = []
  const records: Buffer[][] = []
  const ends = new Set<TLSSocket>()
  let far: { readonly server: URL; readonly ca: readonly string[] } | undefined

  const relay = createTlsServer(
    { ...identity, minVersion: 'TLSv1.3', ALPNProtocols: [alpn], requestCert: true, rejectUnauthorized: false },
    (near) => {
      if (!far) return void near.destroy()
      const { certificate: cert, key } = JSON.parse(readFileSync(kept(), 'utf8'))
      const { hostname: host, port } = far.server
      const onward = dialTls({ host, port: Number(port), ca: [...far.ca], cert, key, ALPNProtocols: [alpn] })
      const record: Buffer[] = []
      records.push(record)
      near.on('data', (chunk: Buffer) => record.push(chunk))
      for (const [end, other] of [
        [near, onward],
        [onward, near],
      ] as const) {
        ends.add(end)
        end.on('error', () => other.destroy())
        end.on('close', () => {
          ends.delete(end)
          other.destroy()
        })
        end.pipe(other)
      }
    },
  )
  await new Promise<void>((resolve) => void relay.listen(0, '127.0.0.1', resolve))
  const relayed = `tls://127.0.0.1:${(relay.address() as AddressInfo).port}`

  const join = async (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    asked.push(Buffer.from(JSON.stringify(incoming.rawHeaders)), body)
    const { method = '', url = '' } = incoming
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${desk}${url}`, { method, headers, body })
    const told: any = await answer.json()
    if (told.tunnels) {
      far = { server: new URL(told.tunnels[0]), ca: told.authorities }
      told.authorities = [...told.authorities, authority.cert]
      told.tunnels = [relayed]
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(told))
  }
  const origin = createServer((incoming, response) => {
    join(incoming, response).catch(() => response.writeHead(502).end())
  })
  await new Promise<void>((resolve) => void origin.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(origin.address() as AddressInfo).port}`,
    sent: () => [...asked, ...records.flatMap((record) => [Buffer.concat(record), ...pipesOf(Buffer.concat(record))])],
    close() {
      for (const end of ends) end.destroy()
      relay.close()
      origin.close()
      origin.closeAllConnections()
    },
  }
}

/** The bytes of each stream: in a frame a word could be cut in two. */
function pipesOf(frames: Buffer): Buffer[] {
  const streams = new Map<number, Buffer[]>()
  for (let at = 0; at + 9 <= frames.length; ) {
    const length = frames.readUIntBE(at, 3)
    const stream = frames.readUInt32BE(at + 5)
    const isData = frames[at + 3] === 0
    if (isData) streams.set(stream, [...(streams.get(stream) ?? []), frames.subarray(at + 9, at + 9 + length)])
    at += 9 + length
  }
  return [...streams.values()].map((parts) => Buffer.concat(parts))
}
