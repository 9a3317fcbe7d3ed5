/** An agent of a cluster as a program of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { temporaryFolder } from '../support/folder.ts'
import type { Cluster } from './cluster.ts'

export interface AgentProcess {
  /** What it logged. */
  readonly said: string[]
  /** Where it keeps its key and certificate. */
  readonly kept: string
  start(joinToken?: string): void
  /** SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void
  /** Resolves when it is gone. */
  end(signal: NodeJS.Signals): Promise<void>
}

/**
 * Not started yet; ended with the test. `desk` is the origin that it joins at, `env` what else it is told, `within` what
 * comes before its command line, such as that which puts it in a network of its own.
 */
export function createAgentProcess(
  t: Pick<Test, 'teardown'>,
  cluster: Cluster,
  desk: string,
  env: Readonly<Record<string, string>> = {},
  within: readonly string[] = [],
): AgentProcess {
  const folder = temporaryFolder('agent')
  t.teardown(folder.remove)
  const kubeconfig = join(folder.path, 'kubeconfig.yaml')
  const data = join(folder.path, 'data')
  writeFileSync(kubeconfig, cluster.kubeconfigOf('broker'), { mode: 0o600 })
  const said: string[] = []
  let child: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals) => {
    const ended = child && child.exitCode === null && new Promise((resolve) => child?.once('exit', resolve))
    child?.kill(signal)
    await ended
    child = undefined
  }
  t.teardown(() => end('SIGKILL'))
  return {
    said,
    kept: join(data, 'agent.json'),
    end,
    signal: (signal) => void child?.kill(signal),
    start(joinToken = '') {
      const file = new URL('../../services/agent/main.ts', import.meta.url).pathname
      const [program = '', ...args] = [...within, process.execPath, file]
      child = spawn(program, args, {
        env: {
          PATH: process.env.PATH,
          DESK_URL: desk,
          JOIN_TOKEN: joinToken,
          KUBECONFIG: kubeconfig,
          AGENT_DATA: data,
          MANAGEMENT_PORT: '0',
          ...env,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      child.stderr?.setEncoding('utf8').on('data', (text) => said.push(text))
    },
  }
}
