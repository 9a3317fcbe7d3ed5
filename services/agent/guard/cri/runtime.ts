/** The container runtime of a node: what runs there, and how it is ended, without any API server. */
import { connectGrpc, GrpcError } from './grpc.ts'
import { type Container, encoded, readContainers, readExitCode, readSandboxes, type Sandbox } from './wire.ts'

export interface Runtime {
  /** All pods that have ever a sandbox there, and all containers that are not yet removed. */
  list(withinMs: number): Promise<{ readonly sandboxes: readonly Sandbox[]; readonly containers: readonly Container[] }>
  /** Asks it to end and kills it after `graceSeconds`; resolves when it is gone. */
  stopContainer(id: string, graceSeconds: number, withinMs: number): Promise<void>
  /** Kills whatever still runs in it; nothing can be started in it any more. */
  stopSandbox(id: string, withinMs: number): Promise<void>
  /** Runs a command in a container; rejects unless it ends well. */
  run(container: string, command: readonly string[], withinMs: number): Promise<void>
  close(): void
}

const notFound = 5

export function connectRuntime(socket: string): Runtime {
  const client = connectGrpc(socket, 'runtime.v1.RuntimeService')
  /** What is not there has been stopped. */
  const stop = async (method: string, message: Buffer, withinMs: number) => {
    await client.call(method, message, withinMs).catch((error: unknown) => {
      if (!(error instanceof GrpcError && error.status === notFound)) throw error
    })
  }
  return {
    async list(withinMs) {
      // Sandboxes first: a container that is seen belongs to one that was seen, or is found at the next look.
      const sandboxes = readSandboxes(await client.call('ListPodSandbox', Buffer.alloc(0), withinMs))
      const containers = readContainers(await client.call('ListContainers', Buffer.alloc(0), withinMs))
      return { sandboxes, containers }
    },
    stopContainer: (id, graceSeconds, withinMs) => stop('StopContainer', encoded([1, id], [2, graceSeconds]), withinMs),
    stopSandbox: (id, withinMs) => stop('StopPodSandbox', encoded([1, id]), withinMs),
    async run(container, command, withinMs) {
      const words = command.map((word) => [2, word] as const)
      const message = encoded([1, container], ...words, [3, Math.max(1, Math.ceil(withinMs / 1000))])
      const code = readExitCode(await client.call('ExecSync', message, withinMs))
      if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`)
    },
    close: () => client.close(),
  }
}
