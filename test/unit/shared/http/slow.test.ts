/** A request that does not come to its end is told so, as what it is. */
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import pino from 'pino'
import t from 'tap'
import { systemClock } from '../../../../services/shared/clock.ts'
import { createHttpServer } from '../../../../services/shared/http/server.ts'
import { systemRandom } from '../../../../services/shared/random.ts'

t.test('headers or a body that stay out are answered 408', { timeout: 60_000 }, async (t) => {
  const log = pino({ level: 'silent' })
  const app = await createHttpServer({ clock: systemClock, random: systemRandom, log, requestTimeoutMs: 300 })
  t.teardown(() => app.close())
  app.post('/', { schema: { body: {} } }, async () => ({}))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const body = 'content-type: application/json\r\ncontent-length: 9\r\n\r\n{"a":'
  for (const sent of ['POST / HTTP/1.1\r\nhost: x\r\n', `POST / HTTP/1.1\r\nhost: x\r\n${body}`]) {
    const socket = connect(port, '127.0.0.1', () => socket.write(sent))
    let answer = ''
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text
    })
    await once(socket, 'close')
    t.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\ncontent-type: application\/problem\+json\r\n/)
    t.match(answer, /"type":"https:\/\/gemeentecloud\.nl\/problems\/request-timeout"/)
  }
})
