/** Reads the tables and workload files of the demonstration. */
import { readdirSync, readFileSync } from 'node:fs'

const data = new URL('./data/', import.meta.url)

export interface Municipality {
  readonly name: string
  readonly province: string
  readonly inhabitants: number
  readonly latitude: number
  readonly longitude: number
}

export interface Partnership {
  readonly id: string
  readonly number: number
  readonly name: string
  readonly type: string
  readonly municipalities: readonly string[]
}

/** Every municipality of 2017, and those of the partnerships that were gone by then; the later table wins. */
export function readMunicipalities(): Map<string, Municipality> {
  const rows = [...readTable('municipalities.csv'), ...readTable('municipalities-2017.csv')]
  return new Map(
    rows.map((row) => [
      row.name ?? '',
      {
        name: row.name ?? '',
        province: row.province ?? '',
        inhabitants: Number(row.inhabitants),
        latitude: Number(row.lat),
        longitude: Number(row.lon),
      },
    ]),
  )
}

export function readPartnerships(): Partnership[] {
  return readTable('samenwerkingsverbanden.csv').map((row) => ({
    id: row.id ?? '',
    number: Number(row.no),
    name: row.name ?? '',
    type: row.type ?? '',
    municipalities: (row.municipalities ?? '').split(';').filter((name) => name !== ''),
  }))
}

export interface Workload {
  readonly id: string
  readonly name: string
  readonly programme: string
  readonly components: readonly {
    readonly name: string
    readonly replicas: number
    readonly requests: { readonly cpu: string | null; readonly memory: string | null }
    readonly clusterScoped?: boolean
    readonly sidecarOf?: string
    readonly runs?: string
    readonly spread?: { readonly topologyKey: string }
  }[]
  readonly volumes: readonly {
    readonly name: string
    readonly size: string
    readonly accessMode: string | null
    readonly count: number
  }[]
  readonly databases: readonly { readonly engine: string; readonly provided: string }[]
}

/** The twelve systems, by id. */
export function readWorkloads(): Workload[] {
  const folder = new URL('tenant-workloads/', data)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Workload)
}

/** Comma-separated values with quotes (RFC 4180), by the names in the first line. */
function readTable(name: string): Record<string, string>[] {
  const [head = [], ...lines] = readFileSync(new URL(name, data), 'utf8').trimEnd().split('\n').map(fieldsOf)
  return lines.map((fields) => Object.fromEntries(head.map((column, index) => [column, fields[index] ?? ''])))
}

function fieldsOf(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field = '']) =>
    field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field,
  )
}
