/** What we rely on in a Kubernetes API, as one list: what holds on a real cluster must hold in the sandbox. */
import type { Test } from 'tap'
import { access } from './conformance/access.ts'
import { defaults, podSecurity, quotas } from './conformance/admission.ts'
import { applying } from './conformance/applying.ts'
import { clientNode } from './conformance/client-node.ts'
import { deleting } from './conformance/deleting.ts'
import { discovery } from './conformance/discovery.ts'
import { kubectlReads } from './conformance/kubectl-reads.ts'
import { kubectlWrites } from './conformance/kubectl-writes.ts'
import { namespaces } from './conformance/namespaces.ts'
import { ourClient } from './conformance/our-client.ts'
import { patching } from './conformance/patching.ts'
import { reading } from './conformance/reading.ts'
import { scheduling } from './conformance/scheduling.ts'
import { watching } from './conformance/watching.ts'
import { workloads } from './conformance/workloads.ts'
import { openWorld, type Part, type Target } from './conformance/world.ts'
import { writing } from './conformance/writing.ts'

export type { Target } from './conformance/world.ts'

const parts: Readonly<Record<string, Part>> = {
  discovery,
  access,
  'create and replace': writing,
  lists: reading,
  watches: watching,
  'server-side apply': applying,
  patches: patching,
  'delete and finalizers': deleting,
  namespaces,
  quota: quotas,
  'default requests': defaults,
  'Pod Security': podSecurity,
  scheduling,
  workloads,
  'our client': ourClient,
  '@kubernetes/client-node': clientNode,
  'kubectl, looking': kubectlReads,
  'kubectl, changing': kubectlWrites,
}

/** Runs every part as a test of its own; those of kubectl are skipped, with the reason, where there is none. */
export async function conformance(t: Test, target: Target): Promise<void> {
  const world = await openWorld(t, target)
  for (const [name, part] of Object.entries(parts)) {
    const skip = name.startsWith('kubectl') && target.kubectl === undefined && (target.withoutKubectl ?? true)
    await t.test(name, { skip }, (t) => part(t, world))
  }
}
