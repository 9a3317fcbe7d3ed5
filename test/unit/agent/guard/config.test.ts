/** The settings of a guard: all that is wrong is said at once, and what is usual need not be given. */
import t from 'tap'
import { readGuardConfig } from '../../../../services/agent/guard/config.ts'

const least = { NODE_NAME: 'node-1', AGENT_ADDRESS: 'agent-guard:8083', GUARD_KEY_FILE: '/etc/key' }

t.test('three are needed', async (t) => {
  t.same(readGuardConfig(least), {
    ok: true,
    config: {
      node: 'node-1',
      agent: 'agent-guard:8083',
      keyFile: '/etc/key',
      runtimeSocket: '/run/containerd/containerd.sock',
      dataDirectory: '/var/lib/gemeentecloud-guard',
      watchdog: undefined,
      gateImage: undefined,
      proc: '/proc',
      managementPort: 8081,
      host: '127.0.0.1',
      logLevel: 'info',
    },
  })
  const empty = readGuardConfig({ NODE_NAME: '', WATCHDOG: '' })
  t.match(empty, { ok: false, errors: [/NODE_NAME/, /AGENT_ADDRESS/, /GUARD_KEY_FILE/] })
})

t.test('what is wrong is said, all of it', async (t) => {
  const wrong = {
    NODE_NAME: 'Node!',
    AGENT_ADDRESS: 'agent',
    GUARD_KEY_FILE: 'key',
    WATCHDOG: 'dog',
    LOG_LEVEL: 'loud',
  }
  const read = readGuardConfig(wrong)
  t.equal(read.ok, false)
  if (!read.ok)
    t.same(
      read.errors.map((error) => error.split(' ')[0]),
      Object.keys(wrong),
    )
  for (const AGENT_ADDRESS of ['10.0.0.1:8083', '[fd00::1]:8083', 'agent.loket.svc:8083'])
    t.equal(readGuardConfig({ ...least, AGENT_ADDRESS }).ok, true, AGENT_ADDRESS)
})
