/** Reads the openb GPU trace (Alibaba, FGD): a list of nodes and a list of pods as CSV, every mistake by file and line. */
import type { DeviceNode, DeviceRequest } from '../../placement/index.ts'
import { usage } from '../errors.ts'

/** A list of the trace is half a MiB. */
export const openbLimitBytes = 16 * 2 ** 20
const mostRows = 200_000

export const nodeListFile = 'openb_node_list_all_node.csv'
export const podListFile = (list: string): string => `openb_pod_list_${list}.csv`

/** The nodes with devices, as the published experiment takes them; the others of the list carry nothing in it. */
export function openbNodes(text: string, file: string): DeviceNode[] {
  const rows = rowsOf(text, file, ['sn', 'cpu_milli', 'memory_mib', 'gpu', 'model'])
  const nodes = rows.map((row) => ({
    name: row.text('sn'),
    cpu: row.whole('cpu_milli', 2 ** 30),
    memory: row.whole('memory_mib', 2 ** 30),
    devices: row.whole('gpu', 64),
    model: row.text('model'),
  }))
  const known = new Set<string>()
  nodes.forEach(({ name }, at) => {
    if (known.has(name)) throw wrong(file, rows[at]?.line ?? 0, `node ${name} stands twice`)
    known.add(name)
  })
  const withDevices = nodes.filter(({ devices }) => devices > 0)
  if (withDevices.length === 0) throw usage(`${file} holds no node with a GPU`, ['The column gpu says how many.'])
  return withDevices
}

/** The pods in the order of their names, so that a seed means the same whatever the order of the file. */
export function openbPods(text: string, file: string): DeviceRequest[] {
  const rows = rowsOf(text, file, ['name', 'cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli'])
  const pods = rows.map((row) => ({ name: row.text('name'), request: requestOf(row) }))
  if (pods.every(({ request }) => request.devices === 0)) throw usage(`${file} holds no pod that asks for a GPU`)
  return pods.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))).map(({ request }) => request)
}

function requestOf(row: Row): DeviceRequest {
  const devices = row.whole('num_gpu', 64)
  const milli = row.whole('gpu_milli', 1_000_000)
  if (devices > 0 && milli === 0) throw row.wrong('gpu_milli is 0 while num_gpu is not; a share is 1 to 1000')
  // Some lists have no column for the models asked: none is.
  const spec = devices > 0 ? row.text('gpu_spec') : ''
  return {
    cpu: row.whole('cpu_milli', 2 ** 30),
    memory: row.whole('memory_mib', 2 ** 30),
    devices,
    // More than one device is written so in some lists; as published it counts as a whole one.
    share: devices > 0 ? Math.min(1_000, milli) : 0,
    models: spec === '' ? [] : spec.split('|').filter((model) => model !== ''),
  }
}

interface Row {
  readonly line: number
  /** Empty when there is no such column. */
  text(column: string): string
  /** A whole number from 0 to `most`. */
  whole(column: string, most: number): number
  wrong(what: string): Error
}

function rowsOf(text: string, file: string, columns: readonly string[]): Row[] {
  const lines = text.split(/\r?\n/)
  const heading = (lines[0] ?? '').split(',')
  const missing = columns.filter((column) => !heading.includes(column))
  if (missing.length > 0) {
    throw wrong(file, 1, `column ${missing.join(', ')} is missing`, [`It must have the columns ${columns.join(', ')}.`])
  }
  const rows = lines.slice(1).flatMap((content, at) => (content === '' ? [] : [rowOf(content, file, at + 2, heading)]))
  if (rows.length === 0) throw usage(`${file} holds no rows`)
  if (rows.length > mostRows) throw usage(`${file} has ${rows.length} rows; at most ${mostRows} are read`)
  return rows
}

function rowOf(content: string, file: string, line: number, heading: readonly string[]): Row {
  const cells = content.split(',')
  if (cells.length !== heading.length) {
    throw wrong(file, line, `${cells.length} fields, while the first line names ${heading.length}`)
  }
  const text = (column: string) => cells[heading.indexOf(column)] ?? ''
  const whole = (column: string, most: number) => {
    const value = text(column)
    if (!/^\d{1,10}$/.test(value) || Number(value) > most) {
      throw wrong(file, line, `${column} is ${JSON.stringify(value)}; it must be a whole number from 0 to ${most}`)
    }
    return Number(value)
  }
  return { line, text, whole, wrong: (what) => wrong(file, line, what) }
}

const wrong = (file: string, line: number, what: string, hints: readonly string[] = []) =>
  usage(`${file} line ${line}: ${what}`, hints)
