/** The guard's way to a container runtime, against the server that Kubernetes generates for runtimes. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { connectRuntime } from '../../services/agent/guard/cri/runtime.ts'
import { temporaryFolder } from '../support/folder.ts'
import { missingForClusters } from './start.ts'

t.setTimeout(5 * 60_000)
const skip = (await missingForClusters()) ?? false
const others = 2_000
const withinMs = 20_000

t.test('a runtime is read and told over gRPC', { skip }, async (t) => {
  const folder = temporaryFolder('runtime')
  t.teardown(() => folder.remove())
  const [program, socket] = [join(folder.path, 'runtime'), join(folder.path, 'cri.sock')]
  const env = { ...process.env, GOTOOLCHAIN: 'local' }
  await promisify(execFile)('go', ['build', '-o', program, './runtime'], { cwd: import.meta.dirname, env })
  const child = spawn(program, [socket, String(others)], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const runtime = connectRuntime(socket)
  t.teardown(() => runtime.close())

  await t.test('its lists, larger than any window of HTTP/2', async (t) => {
    const { sandboxes, containers } = await runtime.list(withinMs)
    t.equal(sandboxes.length, others + 1)
    t.equal(containers.length, others + 2)
    const labels = new Map([
      ['gemeentecloud.nl/active-epoch', '3.14'],
      ['app', 'zaaksysteem é'],
    ])
    t.same(sandboxes[0], { id: 'sandbox-zaak-1', pod: 'zaak-1', namespace: 'zaak', isReady: true, labels })
    t.same(containers[0], {
      id: 'gemeentecloud-gate-zaak-1',
      sandbox: 'sandbox-zaak-1',
      name: 'gemeentecloud-gate',
      images: ['registry.test/gemeentecloud-gate:1', 'sha256:gemeentecloud-gate'],
      isLive: true,
    })
  })

  await t.test('its orders', async (t) => {
    await runtime.stopContainer('app-zaak-1', 300, withinMs)
    await runtime.stopSandbox('sandbox-zaak-1', withinMs)
    const { sandboxes, containers } = await runtime.list(withinMs)
    t.equal(containers.find(({ id }) => id === 'app-zaak-1')?.isLive, false)
    t.equal(sandboxes.find(({ pod }) => pod === 'zaak-1')?.isReady, false)
    t.equal(sandboxes.filter(({ isReady }) => isReady).length, others)
    await runtime.stopContainer('gone', 300, withinMs)
    await t.rejects(runtime.stopContainer('app-other-1', 0, withinMs), /the grace is 0 \(gRPC status 3\)/)
  })

  await t.test('its commands', async (t) => {
    await runtime.run('app-other-1', ['touch', 'file'], withinMs)
    await t.rejects(runtime.run('app-other-1', ['else'], withinMs), /else ended with 127/)
    await t.rejects(runtime.run('app-other-1', ['hang'], 300), /within 300 ms|status 4/)
    t.equal((await runtime.list(withinMs)).sandboxes.length, others + 1, 'one that hung does not hold up the next')
  })

  await t.test('its end, and that it is not there', async (t) => {
    child.kill('SIGKILL')
    await once(child, 'exit')
    await t.rejects(runtime.list(withinMs), /ECONN|connection|closed|destroyed|cancel/i)
  })
})
