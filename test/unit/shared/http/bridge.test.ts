/** Two streams joined: every byte arrives, also the last ones of who closes at once, and both are closed in the end. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { bridge } from '../../../../services/shared/http/bridge.ts'

const connection = async (t: Test): Promise<[Socket, Socket]> => {
  // As those of an HTTP server, which stay half open.
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect(server.address() as { port: number })
  const [far] = (await once(server, 'connection')) as [Socket]
  t.teardown(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return [near, far]
}

t.test('the last words of who closes at once', async (t) => {
  for (let round = 0; round < 20; round++) {
    const [client, door] = await connection(t)
    const [back, cluster] = await connection(t)
    const done = bridge(door, back)
    const chunks: Buffer[] = []
    client.on('data', (chunk: Buffer) => chunks.push(chunk))
    cluster.resume()
    cluster.end(Buffer.alloc(3 * 2 ** 20, 'x'), () => cluster.destroy())
    await once(client, 'close')
    t.equal(Buffer.concat(chunks).length, 3 * 2 ** 20)
    await done
  }
})

t.test('half-open: who has said all still hears', async (t) => {
  const [client, door] = await connection(t)
  const [back, cluster] = await connection(t)
  const done = bridge(door, back)
  const heard: string[] = []
  cluster.setEncoding('utf8').on('data', (text: string) => heard.push(text))
  cluster.once('end', () => cluster.end('antwoord'))
  client.setEncoding('utf8').on('data', (text: string) => heard.push(text))
  client.end('vraag')
  await once(client, 'close')
  t.same(heard, ['vraag', 'antwoord'])
  await done
})

t.test('one that breaks closes the other', async (t) => {
  const [client, door] = await connection(t)
  const [back, cluster] = await connection(t)
  const done = bridge(door, back)
  cluster.resume()
  cluster.once('end', () => cluster.end())
  client.resetAndDestroy()
  await done
  t.ok(door.destroyed && back.destroyed)
})

t.test('one that is closed already', async (t) => {
  const [, door] = await connection(t)
  const [back, cluster] = await connection(t)
  door.destroy()
  await once(door, 'close')
  cluster.resume()
  cluster.once('end', () => cluster.end())
  await bridge(door, back)
  t.ok(back.destroyed)
})
