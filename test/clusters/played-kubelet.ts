/** The kubelet of a node that KWOK plays: the containers of its pods are processes, behind a runtime that a guard speaks to. */
import type { Test } from 'tap'
import { gateName } from '../../services/agent/guard/gate.ts'
import type { Cri } from '../support/cri.ts'
import type { Cluster } from './cluster.ts'

const lookMs = 200

interface Pod {
  readonly metadata: {
    readonly uid: string
    readonly namespace: string
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly spec: { readonly initContainers?: readonly { readonly name: string }[] }
  readonly status: { readonly phase: string }
}

/**
 * As a kubelet does: what has ended is started again in a sandbox that is new, and without the API server it goes on with
 * the pods that it knew. Ended with the test.
 */
export function playKubelet(t: Pick<Test, 'teardown'>, cluster: Cluster, node: string, cri: Cri): void {
  const sandboxes = new Map<string, ReturnType<Cri['startPod']>>()
  const path = `/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`
  let known: readonly Pod[] = []
  let isOver = false
  const look = async () => {
    try {
      known = (await cluster.read<{ items: Pod[] }>(path))?.items ?? known
    } catch {
      // It does not answer: what was known still counts.
    }
    const wanted = new Map(known.filter(isToRun).map((pod) => [pod.metadata.uid, pod]))
    for (const [uid, sandbox] of sandboxes) {
      if (wanted.has(uid)) continue
      sandboxes.delete(uid)
      await cri.stopSandbox(sandbox)
    }
    if (isOver) return
    for (const [uid, pod] of wanted) if (!sandboxes.get(uid)?.isReady) sandboxes.set(uid, start(cri, pod))
  }
  const looking = (async () => {
    while (!isOver) {
      await look()
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    }
  })()
  t.teardown(async () => {
    isOver = true
    await looking
  })
}

const isToRun = ({ metadata, status }: Pod) => status.phase === 'Running' && metadata.deletionTimestamp === undefined

function start(cri: Cri, { metadata, spec }: Pod): ReturnType<Cri['startPod']> {
  const { namespace, name, labels = {} } = metadata
  const isGated = spec.initContainers?.[0]?.name === gateName
  return cri.startPod({ namespace, name, labels, isGated })
}
