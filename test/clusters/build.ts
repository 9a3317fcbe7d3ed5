/** Builds the Kubernetes programs of the tests from the pinned Go modules: once, and again when a pin changes. */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from './wait.ts'

const folder = import.meta.dirname
const bin = join(folder, 'bin')
const mark = join(bin, '.built-from')
const lock = join(bin, '.building')
const buildMs = 45 * 60_000

/** The programs, by what we call them; etcd's main package is named `server`. */
const files = {
  etcd: 'server',
  apiserver: 'kube-apiserver',
  'controller-manager': 'kube-controller-manager',
  scheduler: 'kube-scheduler',
  kwok: 'kwok',
  kubectl: 'kubectl',
  helm: 'helm',
} as const

export type Program = keyof typeof files
export type Programs = Readonly<Record<Program, string>>

const version = 'k8s.io/component-base/version'
const flags = [
  '-s -w',
  `-X ${version}.gitVersion=v1.36.1`,
  `-X ${version}.gitMajor=1`,
  `-X ${version}.gitMinor=36`,
].join(' ')

/** What was built for this is of no use for other modules or other flags. */
function wantedBuild(): string {
  const hash = createHash('sha256').update(flags)
  for (const name of ['go.mod', 'go.sum']) hash.update(readFileSync(join(folder, name)))
  return hash.digest('hex')
}

/** Paths of the programs; undefined when they are not built, or from other modules. */
export function builtPrograms(): Programs | undefined {
  const current = existsSync(mark) && readFileSync(mark, 'utf8').trim() === wantedBuild()
  const paths = Object.entries(files).map(([program, file]) => [program, join(bin, file)] as const)
  if (!current || !paths.every(([, path]) => existsSync(path))) return undefined
  return Object.fromEntries(paths) as Record<Program, string>
}

/** Why this machine can neither run nor build the programs; undefined when it can. */
export async function missingForClusters(): Promise<string | undefined> {
  if (builtPrograms()) return undefined
  const found = await goVersion()
  if (!found) return 'Go 1.26 or newer is needed to build the Kubernetes programs, and go is not found'
  const [major, minor] = found
  if (major > 1 || minor >= 26) return undefined
  return `Go 1.26 or newer is needed to build the Kubernetes programs, this is ${major}.${minor}`
}

async function goVersion(): Promise<[number, number] | undefined> {
  try {
    const { stdout } = await promisify(execFile)('go', ['version'], { env: goEnvironment() })
    const [, major, minor] = /go(\d+)\.(\d+)/.exec(stdout) ?? []
    return major && minor ? [Number(major), Number(minor)] : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The toolchain that is there: a test run fetches no other one. */
function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GOTOOLCHAIN: 'local' }
}

/**
 * The programs, built if need be: some ten minutes the first time, half a minute with Go's build cache. Progress goes to
 * standard error. Several processes may ask at once; one builds. Throws with the reason when the machine cannot build.
 */
export async function buildPrograms(): Promise<Programs> {
  for (;;) {
    const ready = builtPrograms()
    if (ready) return ready
    const missing = await missingForClusters()
    if (missing) throw new Error(missing)
    mkdirSync(bin, { recursive: true })
    if (takeLock()) {
      try {
        await build()
      } finally {
        rmSync(lock, { force: true })
      }
    } else {
      await until('another process to build the Kubernetes programs', buildMs, () => !lockIsHeld() || undefined)
    }
  }
}

async function build(): Promise<void> {
  const wanted = wantedBuild()
  rmSync(mark, { force: true })
  console.error('# building the Kubernetes programs of the tests: ten minutes or more the first time')
  const args = ['build', '-v', '-ldflags', flags, '-o', `${bin}/`, 'tool']
  const child = spawn('go', args, { cwd: folder, env: goEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] })
  let packages = 0
  let tail = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4000)
    for (const _ of text.matchAll(/\n/g)) {
      if (++packages % 200 === 0) console.error(`# built ${packages} packages`)
    }
  })
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`go build of the Kubernetes programs failed:\n${tail}`)
  writeFileSync(mark, `${wanted}\n`)
}

function takeLock(): boolean {
  if (existsSync(lock) && !lockIsHeld()) rmSync(lock, { force: true })
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A lock whose process is gone holds nobody. */
function lockIsHeld(): boolean {
  try {
    return isAlive(Number(readFileSync(lock, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

if (import.meta.main) await buildPrograms()
