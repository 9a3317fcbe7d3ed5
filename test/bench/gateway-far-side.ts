/** The far side of the bench of the gateway, a process of its own: a desk with its gateway, and one cluster by its agent. */
import type { Test } from 'tap'
import { parse } from 'yaml'
import { createAgentProcess } from '../clusters/agent-process.ts'
import { setGatewayStage } from '../clusters/gateway-stage.ts'

export interface GatewayFarSide {
  readonly gateway: Way
  /** To the API server of the cluster, as its administrator. */
  readonly direct: Way
}

export interface Way {
  readonly url: string
  readonly ca: string
  readonly token: string
}

/** KiB of this process. */
export interface Weighed {
  readonly heap: number
  readonly resident: number
}

const undo: (() => unknown)[] = []
const t = { teardown: (each: () => unknown) => void undo.unshift(each) } as unknown as Test
let direct: Way | undefined
const stage = await setGatewayStage(t, 'agent', {
  sites: ['amersfoort'],
  agent: async (_site, joinToken, cluster, { url }) => {
    const { users } = parse(cluster.kubeconfig)
    direct = { url: cluster.server, ca: cluster.ca, token: users[0].user.token }
    createAgentProcess(t, cluster, url).start(joinToken)
  },
})
await stage.host(await stage.tenant(stage.consumer), 'open-zaak', 'amersfoort')

/** `weigh` is answered with what this process weighs, `cpu` with the microseconds it used; `stop` ends it and all below it. */
process.on('message', async (order: 'weigh' | 'cpu' | 'stop') => {
  if (order === 'stop') {
    for (const each of undo) await each()
    return process.exit(0)
  }
  const { user, system } = process.cpuUsage()
  if (order === 'cpu') return process.send?.(user + system)
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const weighed: Weighed = { heap: (heapUsed + external) / 1_024, resident: rss / 1_024 }
  return process.send?.(weighed)
})
process.send?.({ gateway: { url: stage.url, ca: stage.ca, token: stage.consumer.token }, direct })
