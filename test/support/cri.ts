/** A container runtime on a Unix socket, spoken to by gRPC, whose containers are processes; and the kubelet that starts them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { join } from 'node:path'
import { gateName, waitCommand } from '../../services/agent/guard/gate.ts'
import { partsOf, textOf } from '../../services/shared/kubernetes/protobuf-wire.ts'

export interface PlayedPod {
  readonly namespace: string
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  /** Waits at its gate first. */
  readonly isGated?: boolean
  /** Of its one container. */
  readonly command?: readonly string[]
}

interface PlayedContainer {
  readonly id: string
  readonly name: string
  readonly process: ChildProcess
}

interface PlayedSandbox {
  readonly id: string
  readonly pod: PlayedPod
  readonly memory: string
  readonly containers: PlayedContainer[]
  isReady: boolean
}

export type Cri = Awaited<ReturnType<typeof startCri>>

const main = 'app'

/** Listens at `folder`/cri.sock. */
export async function startCri(folder: string) {
  const socket = join(folder, 'cri.sock')
  const sandboxes: PlayedSandbox[] = []
  const calls: string[] = []
  let count = 0
  let isSilent = false

  const isAlive = ({ process }: PlayedContainer) => process.exitCode === null && process.signalCode === null
  const starts = new Map<string, number>()
  const startContainer = (sandbox: PlayedSandbox, name: string, command: readonly string[]): PlayedContainer => {
    const [program = '', ...args] = inside(sandbox, command)
    const container = { id: `c${++count}`, name, process: spawn(program, args, { stdio: 'ignore', detached: true }) }
    sandbox.containers.push(container)
    if (name === main) starts.set(sandbox.pod.name, (starts.get(sandbox.pod.name) ?? 0) + 1)
    return container
  }
  const runMain = ({ ...sandbox }: PlayedSandbox) =>
    startContainer(sandbox, main, sandbox.pod.command ?? ['sleep', '1000'])
  const startPod = (pod: PlayedPod): PlayedSandbox => {
    const id = `s${++count}`
    const memory = join(folder, id)
    mkdirSync(memory)
    const sandbox: PlayedSandbox = { id, pod, memory, containers: [], isReady: true }
    sandboxes.push(sandbox)
    if (!pod.isGated) runMain(sandbox)
    else
      startContainer(sandbox, gateName, waitCommand).process.once('exit', (code) => {
        if (code === 0 && sandbox.isReady) runMain(sandbox)
      })
    return sandbox
  }
  const kill = (container: PlayedContainer, signal: NodeJS.Signals) => {
    if (isAlive(container)) process.kill(-(container.process.pid ?? 0), signal)
  }
  const stopContainer = async (container: PlayedContainer, graceMs: number) => {
    if (!isAlive(container)) return
    const gone = once(container.process, 'exit')
    kill(container, graceMs > 0 ? 'SIGTERM' : 'SIGKILL')
    const timer = setTimeout(() => kill(container, 'SIGKILL'), graceMs)
    await gone
    clearTimeout(timer)
  }
  const stopSandbox = async (sandbox: PlayedSandbox) => {
    sandbox.isReady = false
    await Promise.all(sandbox.containers.map((each) => stopContainer(each, 0)))
  }
  const allContainers = () => sandboxes.flatMap((sandbox) => sandbox.containers.map((each) => ({ sandbox, ...each })))

  const methods: Record<string, (fields: Map<number, (string | number)[]>) => Promise<Buffer>> = {
    ListPodSandbox: async () => Buffer.concat(sandboxes.map((each) => part(1, sandboxMessage(each)))),
    ListContainers: async () =>
      Buffer.concat(allContainers().map((each) => part(1, containerMessage(each, each.sandbox, isAlive(each))))),
    async StopContainer(fields) {
      const found = allContainers().find(({ id }) => id === fields.get(1)?.[0])
      if (found) await stopContainer(found, Number(fields.get(2)?.[0] ?? 0) * 1000)
      return Buffer.alloc(0)
    },
    async StopPodSandbox(fields) {
      const found = sandboxes.find(({ id }) => id === fields.get(1)?.[0])
      if (found) await stopSandbox(found)
      return Buffer.alloc(0)
    },
    async ExecSync(fields) {
      const found = allContainers().find(({ id }) => id === fields.get(1)?.[0])
      if (!found || !isAlive(found)) throw new Error('no such container runs')
      const [program = '', ...args] = inside(found.sandbox, (fields.get(2) ?? []).map(String))
      const [code] = await once(spawn(program, args, { stdio: 'ignore' }), 'exit')
      return part(3, code as number)
    },
  }
  const server = createServer()
  server.on('stream', async (stream, headers) => {
    const method = headers[':path']?.split('/').at(-1) ?? ''
    calls.push(method)
    // A caller that gives up is no fault of the runtime.
    stream.on('error', () => undefined)
    if (isSilent) return
    try {
      const body = await bodyOf(stream)
      const answer = await methods[method]?.(body)
      if (answer) reply(stream, answer)
      else refuse(stream, 12, `there is no ${method}`)
    } catch (error) {
      refuse(stream, 2, (error as Error).message)
    }
  })
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => sessions.add(session))
  rmSync(socket, { force: true })
  server.listen(socket)
  await once(server, 'listening')
  return {
    socket,
    /** Names of the methods that were called. */
    calls,
    startPod,
    stopSandbox,
    /** Pods whose container, not their gate, runs at this moment. */
    running: () =>
      allContainers().flatMap((each) => (each.name === main && isAlive(each) ? [each.sandbox.pod.name] : [])),
    waiting: () =>
      allContainers().flatMap((each) => (each.name === gateName && isAlive(each) ? [each.sandbox.pod.name] : [])),
    /** How often the container of this pod has begun. */
    starts: (pod: string) => starts.get(pod) ?? 0,
    /** Power is cut: every process is gone at once, and what sandboxes there were. */
    off() {
      for (const each of allContainers()) kill(each, 'SIGKILL')
      sandboxes.length = 0
    },
    /** It takes calls and answers none. */
    silence(wanted: boolean) {
      isSilent = wanted
    },
    async close() {
      for (const each of allContainers()) kill(each, 'SIGKILL')
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The memory that belongs to a sandbox is a folder here. */
const inside = ({ memory }: PlayedSandbox, command: readonly string[]) =>
  command.map((word) => word.replaceAll('/dev/shm', memory))

async function bodyOf(stream: ServerHttp2Stream): Promise<Map<number, (string | number)[]>> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  const fields = new Map<number, (string | number)[]>()
  for (const { number, value } of partsOf(Buffer.concat(chunks).subarray(5))) {
    const read = Buffer.isBuffer(value) ? textOf(value) : Number(value)
    fields.set(number, [...(fields.get(number) ?? []), read])
  }
  return fields
}

function reply(stream: ServerHttp2Stream, message: Buffer): void {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(Buffer.concat([prefix, message]))
}

function refuse(stream: ServerHttp2Stream, status: number, reason: string): void {
  if (stream.destroyed) return
  const said = { 'grpc-status': String(status), 'grpc-message': encodeURIComponent(reason) }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...said }, { endStream: true })
}

function part(number: number, value: string | number | Buffer): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)])
  const bytes = Buffer.from(value)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

const varint = (value: number): Buffer =>
  value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >>> 7)])

function sandboxMessage({ id, pod, isReady }: PlayedSandbox): Buffer {
  const labels = Object.entries(pod.labels ?? {}).map(([key, value]) =>
    part(5, Buffer.concat([part(1, key), part(2, value)])),
  )
  const metadata = Buffer.concat([part(1, pod.name), part(2, `uid-${id}`), part(3, pod.namespace)])
  return Buffer.concat([part(1, id), part(2, metadata), part(3, isReady ? 0 : 1), part(4, 1_700_000_000), ...labels])
}

function containerMessage({ id, name }: PlayedContainer, sandbox: PlayedSandbox, isLive: boolean): Buffer {
  const image = Buffer.concat([part(1, 'sha256:0'), part(18, `registry.test/${name}:1`)])
  return Buffer.concat([
    part(1, id),
    part(2, sandbox.id),
    part(3, part(1, name)),
    part(4, image),
    part(6, isLive ? 1 : 2),
  ])
}
