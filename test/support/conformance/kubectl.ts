/** The real kubectl against a target: run to its end, or left to run and read as it goes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Following {
  /** What it has printed so far. */
  readonly output: () => string
  readonly finished: Promise<Result>
  stop(): Promise<Result>
}

export interface Kubectl {
  /** Standard output; rejects with standard error when it fails. */
  (...args: string[]): Promise<string>
  /** The same with manifests on standard input (`-f -`). */
  given(objects: object | string, ...args: string[]): Promise<string>
  /** What it says when it fails; rejects when it does not. */
  fails(...args: string[]): Promise<string>
  failsGiven(objects: object | string, ...args: string[]): Promise<string>
  /** Parsed `-o json`. */
  json(...args: string[]): Promise<any>
  follow(...args: string[]): Following
}

/** `folder` is its home: it keeps its cache of discovery there, and its kubeconfig stands there as `config`. */
export function createKubectl(program: string, folder: string): Kubectl {
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: join(folder, 'config') }
  const follow = (args: readonly string[], input = ''): Following => {
    const child = spawn(program, args, { env, stdio: 'pipe' })
    const text = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text.stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text.stderr += chunk
    })
    // It may end without reading what it is given; its exit says more than the broken pipe.
    child.stdin.on('error', () => undefined).end(input)
    const finished = endOf(child).then((code) => ({ code, ...text }))
    return {
      output: () => text.stdout,
      finished,
      stop: () => {
        child.kill('SIGTERM')
        return finished
      },
    }
  }
  const run = async (args: readonly string[], input?: string) => {
    const { code, stdout, stderr } = await follow(args, input).finished
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr.trim()}`)
    return stdout
  }
  const fails = async (args: readonly string[], input?: string) => {
    const { code, stdout, stderr } = await follow(args, input).finished
    if (code === 0) throw new Error(`kubectl ${args.join(' ')} was to fail: ${stdout.trim()}`)
    return stderr
  }
  return Object.assign((...args: string[]) => run(args), {
    given: (objects: object | string, ...args: string[]) => run(args, manifestsOf(objects)),
    fails: (...args: string[]) => fails(args),
    failsGiven: (objects: object | string, ...args: string[]) => fails(args, manifestsOf(objects)),
    json: async (...args: string[]) => JSON.parse(await run([...args, '-o', 'json'])),
    follow: (...args: string[]) => follow(args),
  })
}

function manifestsOf(objects: object | string): string {
  if (typeof objects === 'string') return objects
  return JSON.stringify(Array.isArray(objects) ? { apiVersion: 'v1', kind: 'List', items: objects } : objects)
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
}
