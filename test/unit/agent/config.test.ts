/** The settings of an agent that have to do with failover: usual values, and what goes together. */
import t from 'tap'
import { readAgentConfig } from '../../../services/agent/config.ts'

const least = { DESK_URL: 'https://desk.test' }
const pod = { POD_NAMESPACE: 'loket', POD_NAME: 'agent-1', POD_IP: '10.0.0.7' }
const errorsOf = (environment: NodeJS.ProcessEnv) => {
  const read = readAgentConfig({ ...least, ...environment })
  return read.ok ? [] : read.errors
}

t.test('it takes part by itself, and opens no port', async (t) => {
  t.match(readAgentConfig(least), { ok: true, config: { fallback: true, guards: undefined, peers: undefined } })
  t.match(readAgentConfig({ ...least, FALLBACK: 'off' }), { ok: true, config: { fallback: false } })
})

t.test('ports for guards and peers come with what they need', async (t) => {
  t.match(errorsOf({ GUARD_PORT: '8083' }), [/GUARD_KEY_FILE/])
  t.same(errorsOf({ GUARD_PORT: '8083', GUARD_KEY_FILE: '/key' }), [])
  t.same(errorsOf({ ...pod, GUARD_PORT: '8083' }), [], 'a pod makes a key')
  t.match(errorsOf({ PEER_PORT: '8084' }), [/PEER_ADDRESS go together/])
  t.match(errorsOf({ PEER_ADDRESS: 'agent.test:443' }), [/go together/])
  for (const address of ['agent.test', 'https://agent.test:443', 'agent.test:0', '::1:8084']) {
    t.match(errorsOf({ PEER_PORT: '8084', PEER_ADDRESS: address }), [/PEER_ADDRESS must be/], address)
  }
  t.match(readAgentConfig({ ...least, ...pod, PEER_PORT: '8084', PEER_ADDRESS: '[fd00::7]:443' }), {
    ok: true,
    config: { pod: { address: '10.0.0.7' }, peers: { port: 8084, address: '[fd00::7]:443' } },
  })
  t.match(errorsOf({ FALLBACK: 'perhaps' }), [/FALLBACK must be on or off/])
})
