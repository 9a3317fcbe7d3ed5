/** The certificate of the gateway in its files: whole or refused, and taken up when another is put there. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import pino from 'pino'
import t, { type Test } from 'tap'
import { followIdentity, readIdentity } from '../../../services/gateway/index.ts'
import { listen } from '../../../services/gateway/listen.ts'
import type { ServeDependencies } from '../../../services/gateway/serve.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import { systemRandom } from '../../../services/shared/random.ts'
import { createAuthority, createKey, type Identity, issueServer } from '../../../services/shared/x509.ts'
import { temporaryFolder } from '../../support/folder.ts'

const validity = { from: systemClock.now() - 3_600_000, until: systemClock.now() + 86_400_000 }

async function setting(t: Test) {
  const folder = temporaryFolder('certificate')
  t.teardown(folder.remove)
  const authority = await createAuthority('gateways', validity, systemRandom)
  const files = { cert: join(folder.path, 'tls.crt'), key: join(folder.path, 'tls.key') }
  const put = ({ cert, key }: Identity) => {
    writeFileSync(files.cert, cert)
    writeFileSync(files.key, key)
  }
  return {
    authority,
    files,
    put,
    issue: () => issueServer(authority, ['localhost', '127.0.0.1'], validity, systemRandom),
  }
}

t.test('what is no certificate and its key is refused in words', async (t) => {
  const { files, put, issue } = await setting(t)
  const good = await issue()
  put(good)
  t.match(readIdentity(files), { ...good, ca: good.cert })
  for (const wrong of [{ key: createKey() }, { cert: 'x' }, { cert: '' }, { key: '' }]) {
    put({ ...good, ...wrong })
    t.throws(() => readIdentity(files), /are not a certificate and its key in PEM/)
  }
})

t.test(
  'another certificate in the files is shown from then on, and connections that stand are left alone',
  async (t) => {
    const { authority, files, put, issue } = await setting(t)
    const looks: (() => void)[] = []
    const every = (_ms: number, look: () => void) => {
      looks.push(look)
      return () => undefined
    }
    const lines: string[] = []
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) })
    put(await issue())
    const first = readIdentity(files)
    // Nothing is asked of it here.
    const deps = { clock: systemClock, log } as ServeDependencies
    const door = await listen(deps, { host: '127.0.0.1', port: 0, identity: first, connections: 10 })
    t.teardown(() => door.close())
    followIdentity(files, first, { clock: { ...systemClock, every }, log }, door.setIdentity)
    const look = () => looks[0]?.()
    const dial = async () => {
      const socket = connect({ port: Number(new URL(door.url).port), host: '127.0.0.1', ca: authority.cert })
      await once(socket, 'secureConnect')
      t.teardown(() => socket.destroy())
      return socket
    }
    const standing = await dial()
    const serial = standing.getPeerCertificate().serialNumber
    look()
    t.equal((await dial()).getPeerCertificate().serialNumber, serial, 'nothing is another')

    const second = await issue()
    put({ ...second, key: first.key })
    look()
    t.equal((await dial()).getPeerCertificate().serialNumber, serial, 'half of it is not taken up')
    t.match(lines.join(''), /cannot be used; the one before stays/)
    put(second)
    look()
    t.not((await dial()).getPeerCertificate().serialNumber, serial)
    t.match(lines.join(''), /has another certificate/)
    t.notOk(standing.destroyed)
  },
)
