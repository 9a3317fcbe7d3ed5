/** One address before several replicas, as a load balancer of TCP is: each new connection goes to the next of them. */
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

export interface Balancer {
  readonly port: number
  /** Where new connections go from now on; what stands is left alone. */
  lead(ports: readonly number[]): void
  close(): void
}

/** Leads nowhere yet: what comes is closed. Listens, and leads to ports, at this address. */
export async function startBalancer(host = '127.0.0.1'): Promise<Balancer> {
  let ports: readonly number[] = []
  let turn = 0
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const port = ports[turn++ % ports.length]
    if (port === undefined) return void near.destroy()
    const far = dial(port, host)
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(end)
      end.on('error', () => other.destroy())
      end.once('close', () => {
        open.delete(end)
        other.destroy()
      })
      end.pipe(other)
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, host, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    lead(to) {
      ports = to
    },
    close() {
      server.close()
      for (const end of open) end.destroy()
    },
  }
}
