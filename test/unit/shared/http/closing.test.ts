/** A server that closes answers what it was asked and keeps nobody's connection. */
import { Agent, get, type IncomingMessage } from 'node:http'
import pino from 'pino'
import t from 'tap'
import { systemClock } from '../../../../services/shared/clock.ts'
import { createHttpServer } from '../../../../services/shared/http/server.ts'
import { systemRandom } from '../../../../services/shared/random.ts'

t.test('a request under way is answered, its kept connection let go', { timeout: 30_000 }, async (t) => {
  const log = pino({ level: 'silent' })
  const app = await createHttpServer({ clock: systemClock, random: systemRandom, log })
  let answer: () => void = () => undefined
  const asked = new Promise<void>((resolve) => {
    app.get('/slow', async () => {
      resolve()
      await new Promise<void>((go) => {
        answer = go
      })
      return { done: true }
    })
  })
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    get(`${base}/slow`, { agent }, resolve).once('error', reject)
  })
  await asked
  const closed = app.close()
  await new Promise((resolve) => setImmediate(resolve))
  answer()
  const { statusCode, headers } = await response.then((r) => r.resume())
  t.match({ statusCode, headers }, { statusCode: 200, headers: { connection: 'close' } })
  await closed
})
