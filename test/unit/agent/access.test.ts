/** How an agent comes to the credential of its own cluster. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { podAccess } from '../../../services/agent/access.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { createAuthority } from '../shared/kubernetes/authority.ts'

t.test('a renewed token of the pod is taken up within a second, and the file not read with each request', async (t) => {
  const { path: folder, remove } = temporaryFolder('pod')
  t.teardown(remove)
  const file = join(folder, 'token')
  writeFileSync(join(folder, 'ca.crt'), createAuthority().ca)
  writeFileSync(file, 'eerste\n')
  let now = 5_000
  const access = podAccess({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, { folder, monotonic: () => now })
  t.teardown(() => access.agent.destroy())
  t.equal(access.base.href, 'https://10.0.0.1/')
  rmSync(file)
  now += 999
  t.equal(access.authorization(), 'Bearer eerste')
  writeFileSync(file, 'tweede\n')
  now += 1
  t.equal(access.authorization(), 'Bearer tweede')
})

t.test('what is no pod is told so', async (t) => {
  t.throws(() => podAccess({}), { message: /this is no pod of Kubernetes/ })
})
