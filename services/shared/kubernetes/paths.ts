/** Where objects of a kind live in the API: found by discovery, remembered per cluster, built from checked parts only. */
import { KubernetesError } from './errors.ts'
import type { KindRef, ObjectRef } from './model.ts'

interface Resource {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
}

export interface Paths {
  /** The collection; of all namespaces when none is given. */
  collection(kind: KindRef, namespace?: string): Promise<string>
  /** Throws `RangeError` when a namespaced object has no namespace. */
  object(ref: ObjectRef): Promise<string>
}

/** `fetch` gets a path and gives the parsed `APIResourceList`. */
export function createPaths(fetch: (path: string) => Promise<unknown>): Paths {
  const known = new Map<string, Promise<readonly Resource[]>>()

  const discover = (apiVersion: string, again: boolean): Promise<readonly Resource[]> => {
    const before = known.get(apiVersion)
    if (before && !again) return before
    const asked = fetch(groupPath(apiVersion)).then(resourcesOf)
    known.set(apiVersion, asked)
    asked.catch(() => known.delete(apiVersion))
    return asked
  }
  const resourceOf = async ({ apiVersion, kind }: KindRef): Promise<Resource> => {
    const isIt = (resource: Resource) => resource.kind === kind && !resource.name.includes('/')
    // A kind that came after we looked, such as a custom resource, is worth a second look.
    const found = (await discover(apiVersion, false)).find(isIt) ?? (await discover(apiVersion, true)).find(isIt)
    if (!found) throw new KubernetesError(404, 'NotFound', `the cluster has no ${kind} of ${apiVersion}`)
    return found
  }
  const collection = async (kind: KindRef, namespace?: string) => {
    const { name, namespaced } = await resourceOf(kind)
    const within = namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : ''
    return `${groupPath(kind.apiVersion)}${within}/${segment(name)}`
  }
  return {
    collection,
    async object(ref) {
      const { namespaced } = await resourceOf(ref)
      if (namespaced && !ref.namespace) throw new RangeError(`${ref.kind} ${ref.name} needs a namespace`)
      return `${await collection(ref, ref.namespace)}/${segment(ref.name)}`
    },
  }
}

/** A group is a DNS name: what starts with a dot could climb out of `/apis`. */
const apiVersionPattern = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?v[a-z0-9]+$/

function groupPath(apiVersion: string): string {
  if (!apiVersionPattern.test(apiVersion)) throw new RangeError(`"${apiVersion}" is no apiVersion`)
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

/** One part of a path; what could make it another path is refused rather than escaped. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..' || !/^[A-Za-z0-9._:-]{1,253}$/.test(name)) {
    throw new RangeError(`"${name.slice(0, 80)}" is no name of an object`)
  }
  return name
}

function resourcesOf(list: unknown): readonly Resource[] {
  const { resources } = list as { resources?: unknown }
  return Array.isArray(resources) ? (resources as Resource[]) : []
}
