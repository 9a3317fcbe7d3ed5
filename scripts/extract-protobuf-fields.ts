/**
 * Writes the table by which a sandbox cluster reads protobuf: number, JSON name and type of every field that the kinds
 * it serves reach, from the struct tags of Kubernetes' own Go modules. Run by hand (it needs Go) when the pins in
 * test/clusters/go.mod or the kinds served change: node scripts/extract-protobuf-fields.ts
 */
import { deepEqual } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiVersionOf, kinds } from '../services/sandbox/kubernetes/kinds.ts'
import { root } from './sources.ts'

/** Sent beside the kinds that are served: for the eviction of a pod, a change of scale, and a deletion. */
const others = ['policy/v1.Eviction', 'autoscaling/v1.Scale', 'meta/v1.DeleteOptions']

/** Whose JSON is not made field by field; the reader knows them by these names. */
const specials = new Map([
  ['resource.Quantity', 'Quantity'],
  ['intstr.IntOrString', 'IntOrString'],
  ['runtime.RawExtension', 'Raw'],
  ['meta/v1.FieldsV1', 'Raw'],
  ['meta/v1.Time', 'Time'],
  ['meta/v1.MicroTime', 'MicroTime'],
])
const homes: Readonly<Record<string, string>> = { metav1: 'meta/v1', corev1: 'v1', v1: 'v1' }
const scalars: Readonly<Record<string, string>> = { string: 'string', bool: 'bool', int32: 'int', int64: 'int' }

/** Each type of one package: the lines of a struct, or of what else it is. */
type Types = ReadonlyMap<string, readonly string[]>

const modules = { api: moduleFolder('k8s.io/api'), machinery: moduleFolder('k8s.io/apimachinery') }
const packages = new Map<string, Types>()
const messages = new Map<string, string>()

function moduleFolder(name: string): string {
  const format = '{{.Dir}}'
  return execFileSync('go', ['list', '-m', '-f', format, name], {
    cwd: `${root}test/clusters`,
    encoding: 'utf8',
  }).trim()
}

/** The types of a group version as Kubernetes writes it: `v1`, `apps/v1`, or `meta/v1` for what all have in common. */
function typesOf(groupVersion: string): Types {
  const known = packages.get(groupVersion)
  if (known) return known
  const [version = '', group = 'core'] = groupVersion.split('/').reverse()
  const folder =
    group === 'meta'
      ? join(modules.machinery, 'pkg/apis/meta', version)
      : join(modules.api, group.split('.')[0] ?? '', version)
  const files = readdirSync(folder).filter((file) => /^types.*\.go$/.test(file))
  const text = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
  const types = new Map<string, string[]>()
  for (const [, name = '', body = ''] of text.matchAll(/^type (\w+) struct \{\n(.*?)^\}/gms)) {
    types.set(name, body.split('\n'))
  }
  for (const [, name = '', type = ''] of text.matchAll(/^type (\w+) (?!struct|interface)(\S+)/gm))
    types.set(name, [type])
  packages.set(groupVersion, types)
  return types
}

/** What a Go type is called in the table, seen from a group version; notes the messages that it leads to. */
function written(goType: string, from: string): string {
  if (goType === '[]byte') return 'bytes'
  if (goType.startsWith('[]')) return `${written(goType.slice(2), from)}*`
  const map = /^map\[\w+\](.+)$/.exec(goType)?.[1]
  if (map !== undefined) return `{${written(map, from)}}`
  const scalar = scalars[goType] ?? (goType === 'types.UID' ? 'string' : undefined)
  if (scalar !== undefined) return scalar
  const [name = '', alias = ''] = goType.split('.').reverse()
  const home = alias === '' ? from : (homes[alias] ?? alias)
  const special = specials.get(`${home}.${name}`)
  if (special !== undefined) return special
  const lines = typesOf(home).get(name)
  if (!lines) throw new Error(`${goType}, in ${from}, is not there`)
  const [only = ''] = lines
  const isList = only.startsWith('[]')
  // A type with a name is what it stands for, but a list with a name is a message around that list.
  if (lines.length === 1 && !isList) return written(only, home)
  if (isList) messages.set(`${home}.${name}`, `1 = ${written(only, home)}`)
  else note(name, home)
  return `${home}.${name}`
}

function note(name: string, groupVersion: string): void {
  const key = `${groupVersion}.${name}`
  if (messages.has(key)) return
  const lines = typesOf(groupVersion).get(name)
  if (!lines) throw new Error(`there is no ${key}`)
  messages.set(key, '')
  messages.set(key, lines.flatMap((line) => field(line, groupVersion)).join(', '))
}

/** `number name type`; `~` for a name stands for a struct whose fields are those of its holder in JSON. */
function field(line: string, groupVersion: string): string[] {
  const [, before = '', tags = ''] = /^\s*([^/`]+?)\s*`(.*)`/.exec(line) ?? []
  const [, number] = /protobuf:"\w+,(\d+),/.exec(tags) ?? []
  if (number === undefined) return []
  const [name = '', ...options] = /json:"([^"]*)"/.exec(tags)?.[1]?.split(',') ?? []
  const goType = before.split(/\s+/).at(-1) ?? ''
  const type = written(goType.replace(/^\*/, ''), groupVersion)
  const isDropped =
    options.includes('omitzero') || (options.includes('omitempty') && /^(string|bool|int|bytes)$/.test(type))
  const mark = isDropped && !goType.startsWith('*') ? '?' : ''
  return [`${number} ${options.includes('inline') ? '~' : name} ${type}${mark}`]
}

for (const info of kinds) note(info.kind, apiVersionOf(info))
for (const other of others) note(other.slice(other.indexOf('.') + 1), other.slice(0, other.indexOf('.')))

const [, version] = modules.api.split('@')
const table = {
  source: `k8s.io/api and k8s.io/apimachinery ${version} (Apache-2.0): numbers, names and types of fields`,
  messages: Object.fromEntries([...messages].sort(([a], [b]) => (a < b ? -1 : 1))),
}
writeFileSync(`${root}services/shared/kubernetes/protobuf-fields.json`, `${JSON.stringify(table, null, 2)}\n`)

/** Kubernetes keeps an example of each kind, every field set, in all its forms: what is read must be what JSON has. */
async function prove(): Promise<number> {
  const { readProtobuf } = await import('../services/shared/kubernetes/protobuf.ts')
  const sent = [...kinds.map((info) => `${apiVersionOf(info)}.${info.kind}`), ...others]
  for (const each of sent) {
    const [, group = 'core', rest] = /^(?:(.+)\/)?(v\d.*)$/.exec(each.replace('meta/', '')) ?? []
    const example = join(modules.api, 'testdata/HEAD', `${group}.${rest}`)
    deepEqual(readProtobuf(readFileSync(`${example}.pb`)), JSON.parse(readFileSync(`${example}.json`, 'utf8')), each)
  }
  return sent.length
}
console.log(`${messages.size} messages; ${await prove()} examples are read as their JSON`)
