/** What one pod asks of a node: containers summed, init containers by the rule of Kubernetes; whether it wants a node alone. */
import { type Amounts, mostOf, sumOf } from '../../shared/amounts.ts'
import { amountOf, formatAmount } from '../../shared/quantity.ts'
import type { Findings } from './findings.ts'
import { at, isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'

/** Requests for containers that name none; as Kubernetes quantities. */
export interface DefaultRequests {
  readonly cpu?: string | undefined
  readonly memory?: string | undefined
}

const required = ['cpu', 'memory'] as const

/**
 * Resource → quantity for one pod, after the rule of
 * https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers:
 * the larger of what runs together and what each init container needs beside the sidecars started before it.
 * A container without cpu or memory gets the default; without a default it is an error that names it.
 */
export function podRequests(
  who: string,
  spec: Tree,
  defaults: DefaultRequests,
  findings: Findings,
): Record<string, string> {
  const forPod = treeAt(spec, 'resources', 'requests')
  const podLimits = treeAt(spec, 'resources', 'limits')
  const given = (resource: string) => resource in forPod || resource in podLimits
  const read = (container: Tree) => containerRequests(who, container, defaults, given, findings)

  const containers = treesAt(spec, 'containers').map(read)
  if (containers.length === 0) findings.errors.push(`${who} has no containers`)
  let sidecars: Amounts = {}
  let peak: Amounts = {}
  for (const container of treesAt(spec, 'initContainers')) {
    const asked = read(container)
    const together = sum(sidecars, asked)
    if (container['restartPolicy'] === 'Always') sidecars = together
    peak = largest(peak, together)
  }
  const running = containers.reduce(sum, sidecars)
  const podDefault = amounts(who, onlyMissing(podLimits, running), findings)
  const computed = sum(largest(largest(running, peak), podDefault), amounts(who, treeAt(spec, 'overhead'), findings))
  const total = { ...computed, ...amounts(who, forPod, findings) }
  return Object.fromEntries(Object.entries(total).map(([name, amount]) => [name, formatAmount(name, amount)]))
}

/** A request that is not given is the limit, as the API server has it; then the default. */
function containerRequests(
  who: string,
  container: Tree,
  defaults: DefaultRequests,
  givenForPod: (resource: string) => boolean,
  findings: Findings,
): Amounts {
  const asked: Record<string, unknown> = {
    ...treeAt(container, 'resources', 'limits'),
    ...treeAt(container, 'resources', 'requests'),
  }
  const missing = required.filter((resource) => asked[resource] === undefined && !givenForPod(resource))
  for (const resource of missing) if (defaults[resource] !== undefined) asked[resource] = defaults[resource]
  const unanswered = missing.filter((resource) => defaults[resource] === undefined)
  const name = `${who}, container ${textAt(container, 'name') ?? '(unnamed)'}`
  if (unanswered.length > 0) {
    const flags = unanswered.map((resource) => `--default-${resource}`).join(' and ')
    findings.errors.push(`${name}: no request for ${unanswered.join(' and ')}; add it, or give ${flags}`)
  }
  return amounts(name, asked, findings)
}

function amounts(who: string, quantities: Tree, findings: Findings): Amounts {
  const read = new Map<string, number>()
  for (const resource of Object.keys(quantities)) {
    const text = textAt(quantities, resource)
    try {
      const amount = amountOf(resource, text ?? '', 'up')
      if (amount < 0) throw new RangeError(`"${text}" is below zero`)
      read.set(resource, amount)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      findings.errors.push(`${who}: ${resource} ${error.message}`)
    }
  }
  return Object.fromEntries(read)
}

const sum = (a: Amounts, b: Amounts) => sumOf([a, b])
const largest = (a: Amounts, b: Amounts) => mostOf([a, b])
const onlyMissing = (limits: Tree, running: Amounts): Tree =>
  Object.fromEntries(Object.entries(limits).filter(([name]) => !Object.hasOwn(running, name)))

/**
 * Whether two replicas can never share a node: required anti-affinity against its own labels per host name, or a port of
 * the node itself.
 */
export function onePerNode(spec: Tree, labels: Tree): boolean {
  const terms = treesAt(spec, 'affinity', 'podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution')
  const apart = terms.some(
    (term) => term['topologyKey'] === 'kubernetes.io/hostname' && selects(treeAt(term, 'labelSelector'), labels),
  )
  const containers = [...treesAt(spec, 'containers'), ...treesAt(spec, 'initContainers')]
  const ports = containers.flatMap((container) => treesAt(container, 'ports'))
  return apart || ports.some((port) => port['hostPort'] !== undefined || spec['hostNetwork'] === true)
}

/** A label selector over labels; an empty one selects everything. */
function selects(selector: Tree, labels: Tree): boolean {
  const equal = Object.entries(treeAt(selector, 'matchLabels')).every(([key, value]) => labels[key] === value)
  return (
    equal &&
    treesAt(selector, 'matchExpressions').every((expression) => {
      const value = at(labels, String(expression['key']))
      const values = Array.isArray(expression['values']) ? expression['values'] : []
      switch (expression['operator']) {
        case 'In':
          return values.includes(value)
        case 'NotIn':
          return !values.includes(value)
        case 'Exists':
          return value !== undefined
        case 'DoesNotExist':
          return value === undefined
        default:
          return false
      }
    })
  )
}

/** What a pod asks of its node beyond room, which a hosting request has no word for; for a note. */
export function nodeWishes(spec: Tree): string[] {
  const required = at(spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution')
  const spread = treesAt(spec, 'topologySpreadConstraints')
  return [
    ...(Object.keys(treeAt(spec, 'nodeSelector')).length > 0 ? ['nodeSelector'] : []),
    ...(isTree(required) ? ['node affinity'] : []),
    ...(typeof spec['nodeName'] === 'string' ? ['nodeName'] : []),
    // Even over nodes is not one per node: with fewer nodes than replicas it still fits.
    ...(spread.some((rule) => rule['whenUnsatisfiable'] !== 'ScheduleAnyway') ? ['topology spread'] : []),
  ]
}
