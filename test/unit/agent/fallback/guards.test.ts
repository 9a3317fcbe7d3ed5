/** Guards of nodes ask their agent: who is answered, with what, and which machines *stopped* waits for. */
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import {
  guardPath,
  isSigned,
  readReply,
  signatureHeader,
  signed,
} from '../../../../services/agent/fallback/guard-wire.ts'
import { createGuards } from '../../../../services/agent/fallback/guards.ts'
import type { GuardAsk } from '../../../../services/fallback/index.ts'
import { epoch, type ScriptedDesk } from '../../../support/scripted-desk.ts'
import { type Agent, createTown, memoryRecord, startAgent, type Town } from '../../../support/town.ts'
import { until } from '../../../support/until.ts'

const key = Buffer.alloc(32, 7)
t.setTimeout(80_000)

interface Answered {
  readonly status: number
  readonly body: string
  readonly signature: string | undefined
}

async function open(t: Test, agent: Agent) {
  const server = createGuards({ key, answer: agent.fallback.answerGuard })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const post = (body: string, signature: string, path = guardPath) =>
    new Promise<Answered>((resolve, reject) => {
      const headers = { [signatureHeader]: signature }
      const call = request({ port, host: '127.0.0.1', method: 'POST', path, headers }, async (response) => {
        let text = ''
        for await (const chunk of response.setEncoding('utf8')) text += chunk
        resolve({ status: response.statusCode ?? 0, body: text, signature: String(response.headers[signatureHeader]) })
      })
      call.on('error', reject)
      call.end(body)
    })
  return { post, ask: (ask: GuardAsk) => post(JSON.stringify(ask), signed(key, 'ask', JSON.stringify(ask))) }
}

async function scene(t: Test) {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  const store = memoryRecord()
  const agent = await startAgent(t, town, store)
  const desk = agent.meet()
  desk.grant('h_1', 1)
  await running(town)
  return { town, store, agent, desk, ...(await open(t, agent)) }
}

async function running(town: Town) {
  const space = () => town.cluster.store.get('Namespace', undefined, 'zaken')
  await until(() => space()?.metadata.annotations?.['gemeentecloud.nl/active-epoch'] === '1.1', 'it to run')
}

function guardOf(node: string) {
  let seq = 0
  let agent = 0
  return {
    next: (present: string[] = []): GuardAsk => ({ kind: 'ask', node, seq: ++seq, agent, present }),
    heard: (incarnation: number) => {
      agent = incarnation
    },
  }
}

const stop = (desk: ScriptedDesk) => {
  desk.granted.clear()
  desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(1) })
}
const hasStopped = ({ said }: ScriptedDesk) => said.some(({ kind }) => kind === 'stopped')

t.test('a guard is answered with grants, what is to be guarded and the stop budget, signed', async (t) => {
  const { ask, post } = await scene(t)
  const guard = guardOf('node-a')
  const { status, body, signature } = await ask(guard.next())
  t.equal(status, 200)
  t.ok(isSigned(key, 'reply', body, signature))
  const reply = readReply(body)
  t.match(reply?.answer, { kind: 'grants', node: 'node-a', seq: 1, agent: 1, grants: [{ hosting: 'h_1' }], over: [] })
  t.same(reply?.spaces, [{ namespace: 'zaken', hosting: 'h_1', activity: 'exclusive' }])
  t.equal(reply?.stopMs, 2_000)

  const text = JSON.stringify(guard.next())
  t.match(await post(text, ''), { status: 401 })
  t.match(await post(text, signed(Buffer.alloc(32, 8), 'ask', text)), { status: 401 }, 'another key')
  t.match(await post(text, signed(key, 'reply', text)), { status: 401 }, 'an answer that is sent back')
  t.match(await post(`${text} `, signed(key, 'ask', text)), { status: 401 }, 'changed on the way')
  t.match(await post('{}', signed(key, 'ask', '{}')), { status: 400 })
  t.match(await post(text, signed(key, 'ask', text), '/other'), { status: 404 })
  t.match(await ask(guardOf('node-z').next()), { status: 503 }, 'a machine that is not there')
})

t.test(
  '*stopped* waits for every machine that was ever heard, also over a life of the agent, until it is declared off',
  async (t) => {
    const { town, store, agent, desk, ask } = await scene(t)
    const guard = guardOf('node-a')
    await ask(guard.next(['h_1']))
    t.same(store.kept()?.nodes, ['node-a'])
    stop(desk)
    await until(() => town.pods('zaken') === 0, 'its pods to end')
    const quiet = async (desk: ScriptedDesk) => {
      const renewals = () => desk.said.filter(({ kind }) => kind === 'renew').length
      const before = renewals()
      await until(() => {
        desk.say({ kind: 'ask-stopped', hosting: 'h_1', epoch: epoch(1) })
        return renewals() > before + 4
      }, 'some renewals to pass')
      return !hasStopped(desk)
    }
    t.ok(await quiet(desk), 'the API server has no pod left, but a node has a container')

    await agent.stop()
    const next = await startAgent(t, town, store)
    const nextDesk = next.meet()
    t.ok(await quiet(nextDesk), 'a later life waits for it too')

    const node = { apiVersion: 'v1', kind: 'Node', name: 'node-a' }
    const taint = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }
    await town.client.patch(node, { spec: { taints: [taint] } }, { fieldManager: 'test' })
    await until(() => store.kept()?.nodes.length === 0, 'it to be left out')
    const { ask: askNext } = await open(t, next)
    t.match(await askNext(guard.next()), { status: 503 }, 'who is off is given nothing')
    await until(() => {
      nextDesk.say({ kind: 'ask-stopped', hosting: 'h_1', epoch: epoch(1) })
      return hasStopped(nextDesk)
    }, 'it to be said')
  },
)

t.test('*stopped* is said when the guard says that nothing is there', async (t) => {
  const { town, desk, ask } = await scene(t)
  const guard = guardOf('node-a')
  await ask(guard.next(['h_1']))
  stop(desk)
  await until(() => town.pods('zaken') === 0, 'its pods to end')
  const reply = readReply((await ask(guard.next(['h_1']))).body)
  t.same(reply?.answer.over, ['h_1'])
  guard.heard(reply?.answer.agent ?? 0)
  t.notOk(hasStopped(desk))
  await ask(guard.next([]))
  await until(() => {
    desk.say({ kind: 'ask-stopped', hosting: 'h_1', epoch: epoch(1) })
    return hasStopped(desk)
  }, 'it to be said')
})
