/** Parties in network namespaces of their own around a router, which can drop what one of them sends to another. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { commandOf } from './processes.ts'

export interface Networks {
  /** Of this process and all that runs beside it, as the parties reach it by the router. */
  readonly ourAddress: string
  /** Of a party, as all others reach it by the router. */
  addressOf(party: string): string
  /** Of this process, for one party alone: by a wire of their own, which nothing here cuts. */
  besideOf(party: string): string
  /** What comes before a command line, so that it runs with the party. */
  within(party: string): string[]
  /** From now on nothing that `from` sends to `to` arrives; neither end is told. `ours` is this process. */
  cut(from: string, to: string): Promise<void>
  /** All that was cut is whole again. */
  mend(): Promise<void>
}

/** Who is not in a namespace. */
export const ours = 'ours'

const run = promisify(execFile)
const ip = async (...args: string[]) => (await run('ip', args)).stdout
const prefix = 'gemeentecloud-net'
/** For measuring routers, so that no real network has it (RFC 2544). One set of networks takes one of its 256 parts. */
const range = '198.18'
const parts = 256
/** Each has four addresses by the router, and four beside it in the upper half of the part. */
const mostParties = 30
let made = 0

/** Why this machine has no such networks; undefined when it has. */
export async function missingForNetworks(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may make network namespaces'
  const name = `${prefix}-${process.pid}-probe`
  try {
    await addNamespace(name)
    await letPass(name)
    await ip('-n', name, ...dropping('add', `${range}.0.1`, `${range}.0.2`))
    await ip('netns', 'del', name)
    return undefined
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { readonly stderr?: string }
    if (code === 'ENOENT') return 'ip, of the package iproute2, is not found'
    await remove(name).catch(() => undefined)
    return `this machine does not let network namespaces be made: ${(stderr || message).trim()}`
  }
}

/** Makes them, after what an earlier process left that was killed with -9. They are gone with the test, and all in them. */
export async function startNetworks(t: Pick<Test, 'teardown'>, parties: readonly string[]): Promise<Networks> {
  if (parties.length > mostParties) throw new RangeError(`there is room for ${mostParties} parties`)
  await sweep()
  made += 1
  const nameOf = (party: string) => `${prefix}-${process.pid}-${made}-${party}`
  const names = new Map(parties.map((party) => [party, nameOf(party)]))
  const router = nameOf('router')
  t.teardown(async () => {
    for (const name of [...names.values(), router]) await remove(name)
  })
  await addNamespace(router)
  await letPass(router)
  const part = await takePart(router)
  const at = (host: number) => `${range}.${part}.${host}`
  await ip('route', 'add', `${at(0)}/25`, 'via', at(1))
  for (const [index, party] of parties.entries()) {
    const namespace = nameOf(party)
    const first = 4 * (index + 1)
    await addNamespace(namespace)
    const toRouter = { namespace, link: 'out', address: at(first + 2) }
    await layWire({ namespace: router, link: `party-${index}`, address: at(first + 1) }, toRouter)
    await ip('-n', namespace, 'route', 'add', 'default', 'via', at(first + 1))
    const toUs = { namespace, link: 'beside', address: at(128 + first + 2) }
    await layWire({ link: `gcnet${part}-${index}`, address: at(128 + first + 1) }, toUs)
  }

  const hosts = new Map([[ours, 2], ...parties.map((party, index) => [party, 4 * (index + 1) + 2] as const)])
  const hostOf = (party: string) => {
    const host = hosts.get(party)
    if (host === undefined) throw new RangeError(`there is no party ${party}`)
    return host
  }
  const dropped: (readonly [string, string])[] = []
  return {
    ourAddress: at(2),
    addressOf: (party) => at(hostOf(party)),
    besideOf: (party) => at(128 + hostOf(party) - 1),
    within: (party) => ['ip', 'netns', 'exec', nameOf(party)],
    async cut(from, to) {
      const pair = [at(hostOf(from)), at(hostOf(to))] as const
      await ip('-n', router, ...dropping('add', ...pair))
      dropped.push(pair)
    },
    async mend() {
      for (const pair of dropped.splice(0)) await ip('-n', router, ...dropping('del', ...pair))
    },
  }
}

interface End {
  /** That of this process when absent. */
  readonly namespace?: string
  readonly link: string
  readonly address: string
}

async function layWire(one: End, other: End & { readonly namespace: string }): Promise<void> {
  const peer = ['peer', 'name', other.link, 'netns', other.namespace]
  await ip(...inside(one), 'link', 'add', one.link, 'type', 'veth', ...peer)
  for (const end of [one, other]) {
    await ip(...inside(end), 'address', 'add', `${end.address}/30`, 'dev', end.link)
    await ip(...inside(end), 'link', 'set', end.link, 'up')
  }
}

const inside = ({ namespace }: End) => (namespace === undefined ? [] : ['-n', namespace])

/** What is dropped by its route is dropped in silence, as in a cut; `from` alone makes it one-way. */
const dropping = (what: 'add' | 'del', from: string, to: string) =>
  ['rule', what, 'priority', '100', 'from', from, 'to', to, 'blackhole'] as const

/** Lays our own wire to the router; its name is taken by one set of networks of the machine at a time. */
async function takePart(router: string): Promise<number> {
  for (let part = 0; part < parts; part++) {
    const near = { link: `gcnet${part}`, address: `${range}.${part}.2` }
    try {
      await layWire({ ...near }, { namespace: router, link: 'ours', address: `${range}.${part}.1` })
      return part
    } catch (error) {
      if (!/File exists/.test(String(error))) throw error
    }
  }
  throw new Error(`all ${parts} parts of ${range}.0.0/16 are taken`)
}

async function addNamespace(name: string): Promise<void> {
  await ip('netns', 'add', name)
  await ip('-n', name, 'link', 'set', 'lo', 'up')
}

/** What is in it is passed on, as a router does. */
async function letPass(namespace: string): Promise<void> {
  await ip('netns', 'exec', namespace, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
}

/** With the processes in it, which would keep it. Its wires first: those of a namespace that is gone take a while to go. */
async function remove(namespace: string): Promise<void> {
  if (!(await namespaces()).includes(namespace)) return
  for (const pid of (await ip('netns', 'pids', namespace)).split('\n').filter(Boolean)) end(Number(pid))
  const wires = (await ip('-n', namespace, '-o', 'link', 'show', 'type', 'veth')).matchAll(/^\d+: ([^@:]+)/gm)
  for (const [, link = ''] of wires) await ip('-n', namespace, 'link', 'del', link)
  await ip('netns', 'del', namespace)
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const namespaces = async () => (await ip('netns', 'list')).split('\n').map((line) => line.split(' ')[0] ?? '')

async function sweep(): Promise<void> {
  for (const name of await namespaces()) {
    const owner = name.startsWith(`${prefix}-`) ? Number.parseInt(name.slice(prefix.length + 1), 10) : Number.NaN
    if (!Number.isInteger(owner) || commandOf(owner) !== '') continue
    // Another process may be sweeping too.
    await remove(name).catch(async (error) => {
      if ((await namespaces()).includes(name)) throw error
    })
  }
}
