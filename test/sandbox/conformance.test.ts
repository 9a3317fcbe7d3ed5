/** The conformance suite on a sandbox cluster: its clients cannot tell it from a real one. */
import t from 'tap'
import { startSandbox } from '../../services/sandbox/kubernetes/index.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { builtPrograms, missingForClusters } from '../clusters/build.ts'
import { conformance } from '../support/conformance.ts'

t.setTimeout(240_000)
const sandbox = await startSandbox({ clock: systemClock, random: systemRandom, host: '127.0.0.1', port: 0 })
t.teardown(() => sandbox.stop())
const node = (name: string) => ({ name, cpu: '4', memory: '16Gi', pods: '110', zone: `zone-${name}` })
const cluster = sandbox.addCluster('zandbak', {
  nodes: [node('a'), node('b')],
  storageClasses: [{ name: 'snel', readWriteMany: false }],
})
// As after the restart of a real API server: what was before is no longer known.
cluster.setFault({ kind: 'forget' })

const kubectl = builtPrograms()?.kubectl
const withoutKubectl = (await missingForClusters()) ?? 'kubectl is not built yet: node test/clusters/build.ts builds it'
await conformance(t, { kubeconfig: cluster.kubeconfig(), kubectl, withoutKubectl })
