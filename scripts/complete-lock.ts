/**
 * Adds to package-lock.json the optional packages of other systems that the registry at hand does not serve. npm leaves
 * them out when it writes the file, and `npm ci` then refuses the file as incomplete. Run it after each `npm install`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { root } from './sources.ts'

interface Entry {
  version?: string
  optionalDependencies?: Record<string, string>
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
}

interface Lock {
  packages: Record<string, Entry>
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']

/** Optional packages that the lock names and does not hold: `name@version`, and who asks for it. */
export function missingFromLock(lock: Lock): { name: string; version: string; parent: Entry }[] {
  return Object.entries(lock.packages).flatMap(([path, parent]) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => !lock.packages[`node_modules/${name}`] && !lock.packages[`${path}/node_modules/${name}`])
      .map(([name, version]) => ({ name, version, parent })),
  )
}

/** What the package's name says of where it runs; npm skips it elsewhere by these fields. */
export function platformOf(name: string): Pick<Entry, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[-/]/)
  const os = systems.find((system) => words.includes(system))
  const cpu = processors.find((processor) => words.includes(processor))
  const musl = words.some((word) => word.startsWith('musl'))
  const gnu = words.some((word) => word.startsWith('gnu'))
  return {
    ...(os && { os: [os] }),
    ...(cpu && { cpu: [cpu] }),
    ...(os === 'linux' && (musl || gnu) && { libc: [musl ? 'musl' : 'glibc'] }),
  }
}

function complete(): void {
  const file = `${root}package-lock.json`
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lock
  const missing = missingFromLock(lock)
  for (const { name, version, parent } of missing) {
    const platform = platformOf(name)
    if (!/^\d+\.\d+\.\d+\S*$/.test(version) || !platform.os) {
      console.log(`${name}@${version} is left out: its version or its system is not known`)
      continue
    }
    lock.packages[`node_modules/${name}`] = { version, ...(parent.dev && { dev: true }), optional: true, ...platform }
  }
  const [own, ...others] = Object.entries(lock.packages)
  const sorted = [...(own ? [own] : []), ...others.sort(([a], [b]) => (a < b ? -1 : 1))]
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
  console.log(`${missing.length} optional packages of other systems were missing`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) complete()
