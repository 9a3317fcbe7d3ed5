/** The kubeconfig for the gateway and the credential that it asks for: the token stands where it was, unless asked otherwise. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { exitCode } from '../../../services/cli/errors.ts'
import { cli } from './fake-io.ts'

const token = 'gc_the-token-of-a-consumer'
const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'

/** As the broker of this machine would have written it. */
function machine(folder: string, gateway = true): Record<string, string> {
  const data = join(folder, 'data')
  mkdirSync(data, { recursive: true })
  const access = {
    api: 'http://127.0.0.1:8080',
    encryptionKey: '',
    tokens: { loket: 'gc_the-token-of-the-desk', consumer: token, auditor: 'gc_the-token-of-an-auditor' },
    ...(gateway && { gateway: { url: 'https://127.0.0.1:8443', ca } }),
  }
  writeFileSync(join(data, 'access.json'), JSON.stringify(access))
  return { GEMEENTECLOUD_DATA: data }
}

t.test('a kubeconfig of this machine, without the token in it', async (t) => {
  const env = machine(t.testdir())
  const { code, out } = await cli(['kubeconfig', '--namespace', 'open-zaak'], { env })
  t.equal(code, exitCode.ok)
  t.notMatch(out, token)
  const config = JSON.parse(out)
  t.match(config, {
    kind: 'Config',
    clusters: [
      {
        cluster: {
          server: 'https://127.0.0.1:8443',
          'certificate-authority-data': Buffer.from(ca).toString('base64'),
        },
      },
    ],
    contexts: [{ context: { namespace: 'open-zaak' } }],
  })
  const { exec } = config.users[0].user
  t.match(exec.args.slice(1), ['credential'])
  t.match(exec.env, [{ name: 'GEMEENTECLOUD_DATA', value: env['GEMEENTECLOUD_DATA'] }])
  const short = JSON.parse((await cli(['kubeconfig', '--lifetime', '60'], { env })).out)
  t.match(short.users[0].user.exec.args.slice(1), ['credential', '--lifetime', '60'])
})

t.test('with the token for machines, and as another role', async (t) => {
  const env = machine(t.testdir())
  const { out } = await cli(['kubeconfig', '--static-token'], { env })
  t.match(JSON.parse(out).users, [{ user: { token } }])
  const asAuditor = await cli(['--as', 'auditor', 'kubeconfig'], { env })
  const { exec } = JSON.parse(asAuditor.out).users[0].user
  t.match(exec.args.slice(1), ['--as', 'auditor', 'credential'])
})

t.test('of a gateway elsewhere', async (t) => {
  const folder = t.testdir({ 'ca.pem': ca })
  const env = { GEMEENTECLOUD_URL: 'https://loket.example.nl', GEMEENTECLOUD_TOKEN: token, GEMEENTECLOUD_DATA: folder }
  const away = ['--server', 'https://gateway.example.nl', '--certificate-authority', join(folder, 'ca.pem')]
  const { code, out } = await cli(['kubeconfig', ...away], { env })
  t.equal(code, exitCode.ok)
  t.match(JSON.parse(out).clusters, [{ cluster: { server: 'https://gateway.example.nl' } }])
  const trusted = await cli(['kubeconfig', '--server', 'https://gateway.example.nl'], { env })
  t.notMatch(trusted.out, 'certificate-authority-data', 'then the system knows the authority')
  for (const server of ['http://gateway.example.nl', 'https://a@b', 'gateway', 'https://x/path'])
    t.equal((await cli(['kubeconfig', '--server', server], { env })).code, exitCode.usage, server)
  t.equal((await cli(['kubeconfig'], { env })).code, exitCode.usage, 'none on this machine')
  t.equal(
    (await cli(['kubeconfig', '--server', 'https://g', '--certificate-authority', '/no/ca'], { env })).code,
    exitCode.usage,
  )
})

t.test('a broker of before has no gateway to tell of', async (t) => {
  const { code, err } = await cli(['kubeconfig'], { env: machine(t.testdir(), false) })
  t.equal(code, exitCode.usage)
  t.match(err, 'no gateway was found')
})
