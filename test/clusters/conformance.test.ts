/** The conformance suite on a real API server: what it says here is the truth for the sandbox. */
import t from 'tap'
import { conformance } from '../support/conformance.ts'
import { builtPrograms } from './build.ts'
import { missingForClusters, startClusters } from './start.ts'

t.setTimeout(45 * 60_000)
const missing = await missingForClusters()

if (missing) t.plan(0, missing)
else {
  const node = (name: string) => ({ name, cpu: '4', memory: '16Gi', zone: `zone-${name}` })
  const nodes = [node('a'), node('b')]
  const { echt } = await startClusters(t, [{ name: 'echt', nodes, storageClasses: [{ name: 'snel' }] }])
  // A new API server remembers nothing from before its start: only then is there a version that is too old.
  await echt.kill('apiserver')
  await echt.restart()
  await conformance(t, { kubeconfig: echt.kubeconfig, kubectl: builtPrograms()?.kubectl })
}
