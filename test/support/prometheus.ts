/** A real Prometheus with the committed configuration and rules, and promtool. */
import { execFile, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { freePorts } from '../clusters/processes.ts'
import { until } from '../clusters/wait.ts'

export const prometheusFolder = fileURLToPath(new URL('../../deploy/prometheus', import.meta.url))

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

export interface Rule {
  readonly name: string
  readonly query: string
  readonly type: 'alerting' | 'recording'
  readonly health: string
  readonly lastError?: string
  readonly annotations?: Readonly<Record<string, string>>
}

export interface RunningPrometheus {
  /** An instant query; rejects with Prometheus's own words when it is not accepted. */
  query(expression: string): Promise<Sample[]>
  labelValues(label: string, selector: string): Promise<string[]>
  rules(): Promise<Rule[]>
  /** Why the last scrape failed, or `up`. */
  target(): Promise<string>
  stop(): Promise<void>
}

/**
 * Starts it on what is committed, but for three things: it asks `target` (host:port), it asks and evaluates every second, and
 * the rules are named by their whole path. Its data are in `folder`.
 */
export async function startPrometheus(folder: string, target: string): Promise<RunningPrometheus> {
  const config = parse(readFileSync(join(prometheusFolder, 'prometheus.yml'), 'utf8'))
  config.global = { ...config.global, scrape_interval: '1s', evaluation_interval: '1s' }
  config.rule_files = config.rule_files.map((path: string) => join(prometheusFolder, path))
  for (const job of config.scrape_configs) for (const group of job.static_configs) group.targets = [target]
  const file = join(folder, 'prometheus.yml')
  writeFileSync(file, stringify(config))

  const [port = 0] = await freePorts(1)
  const flags = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  const child = spawn('prometheus', flags, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const url = `http://127.0.0.1:${port}`
  const get = async <T>(path: string, query: Record<string, string> = {}): Promise<T> => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query)}`)
    const body = (await response.json()) as { status: string; data: T; error?: string }
    if (body.status !== 'success') throw new Error(`${body.error} in ${query['query'] ?? path}`)
    return body.data
  }
  await until('Prometheus to be ready', 60_000, async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}:\n${log}`)
    return (await fetch(`${url}/-/ready`)).ok || undefined
  })
  return {
    query: async (expression) => {
      const { result } = await get<{ result: { metric: Sample['metric']; value: [number, string] }[] }>('query', {
        query: expression,
      })
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1].replace('Inf', 'Infinity')) }))
    },
    labelValues: (label, selector) => get<string[]>(`label/${label}/values`, { 'match[]': selector }),
    rules: async () => (await get<{ groups: { rules: Rule[] }[] }>('rules')).groups.flatMap((group) => group.rules),
    target: async () => {
      const { activeTargets } = await get<{ activeTargets: { health: string; lastError: string }[] }>('targets')
      return activeTargets.map(({ health, lastError }) => lastError || health).join()
    },
    stop: async () => {
      child.kill('SIGTERM')
      await gone
    },
  }
}

/** Runs promtool to its end: its exit code and all it printed. */
export function promtool(args: readonly string[], input = ''): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile('promtool', args, { maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    )
    child.stdin?.end(input)
  })
}
