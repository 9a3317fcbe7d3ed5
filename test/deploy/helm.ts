/** The chart as Helm renders it, without a cluster: values in, objects out. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { root } from '../../scripts/sources.ts'
import { buildPrograms } from '../clusters/build.ts'

export const chart = join(root, 'charts/gemeentecloud')

/** Objects of every kind, looked at by their tests. */
export type Rendered = any

export interface Helm {
  /** Standard output; rejects with standard error. */
  run(...args: string[]): Promise<string>
  /** A file with these values, for `--values`. */
  file(name: string, values: object): string
  /** The objects of a release named `release`; `flags` say what the cluster would. */
  template(values: object, release?: string, flags?: readonly string[]): Promise<Rendered[]>
}

/** Helm that keeps what it writes, and the values, in `folder`; for the chart of the broker unless another is named. */
export async function startHelm(folder: string, from = chart): Promise<Helm> {
  const { helm } = await buildPrograms()
  const env = { PATH: process.env.PATH, HOME: folder }
  const run = async (...args: string[]) => (await promisify(execFile)(helm, args, { env })).stdout
  const file = (name: string, values: object) => {
    const path = join(folder, `${name}.json`)
    writeFileSync(path, JSON.stringify(values))
    return path
  }
  return {
    run,
    file,
    template: async (values, release = 'gemeentecloud', flags = []) => {
      const given = ['--namespace', 'loket', '--values', file('template', values), ...flags]
      const text = await run('template', release, from, ...given)
      const documents = parseAllDocuments(text)
      const wrong = documents.flatMap(({ errors }) => errors)
      if (wrong.length > 0) throw new Error(`not YAML: ${wrong.join('; ')}`)
      return documents.map((document) => document.toJS()).filter((object) => object !== null)
    },
  }
}

export const ofKind = (objects: readonly Rendered[], kind: string): Rendered[] =>
  objects.filter((object) => object.kind === kind)

/** The Deployment with this container. */
export function deploymentOf(objects: readonly Rendered[], container: string): Rendered {
  return ofKind(objects, 'Deployment').find(({ spec }) => spec.template.spec.containers[0].name === container)
}

/** The environment of a container, with what its Secrets hold; `others` are Secrets that exist, by name. */
export function environmentOf(
  objects: readonly Rendered[],
  others: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  container = 'broker',
): Record<string, string> {
  const deployment = deploymentOf(objects, container)
  const secretValue = ({ name, key }: { name: string; key: string }): string => {
    const made = ofKind(objects, 'Secret').find(({ metadata }) => metadata.name === name)?.data[key]
    const value = made === undefined ? others[name]?.[key] : Buffer.from(made, 'base64').toString()
    if (value === undefined) throw new Error(`no Secret ${name} with the key ${key}`)
    return value
  }
  const variables: { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[] =
    deployment.spec.template.spec.containers[0].env
  return Object.fromEntries(
    variables.map(({ name, value, valueFrom }) => [
      name,
      valueFrom ? secretValue(valueFrom.secretKeyRef) : (value ?? ''),
    ]),
  )
}
