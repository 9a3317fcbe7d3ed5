/** Every figure that a world keeps, by name instead of by number, so that two worlds can be held against each other. */
import type { World } from '../../../../services/placement/index.ts'

type Site = World['order'][number]
type Ledger = Site['ledger']
export type Lines = Map<string, string | number>

/** The index must have been asked since the last change. */
export function pictureOf(world: World): Lines {
  const lines: Lines = new Map()
  for (const [slot, site] of world.order.entries()) {
    const { id } = site.state
    ledgerLines(world, site.ledger, id, lines)
    nodeLines(world, site, lines)
    boundLines(world, site, slot, lines)
    const displaced = site.displaced
      .filter(({ period }) => period.end > world.now)
      .map((d) => `${d.hostingId} ${d.role} ${d.component} ${whenText(world, d)} ${apartText(site, d)}`)
    lines.set(`${id} displaced`, displaced.join(', '))
    lines.set(`${id} hostings`, [...(world.hostingsAt.get(id) ?? [])].sort().join(' '))
  }
  for (const [id, { placed, domains }] of world.hostings)
    lines.set(`hosting ${id}`, `${placed.standby ? domains.join(' ') : ''} ${JSON.stringify(placed.demand.components)}`)
  lines.set('hostings known', [...world.hostings.keys()].sort().join(' '))
  return lines
}

function whenText({ now }: World, { period, replicas, perReplica }: Site['displaced'][number]): string {
  return `from ${Math.max(now, period.start)} to ${period.end} ${replicas} ${needText(perReplica)}`
}

function apartText({ nodes }: Site, { apart, held }: Site['displaced'][number]): string {
  return `${apart ?? 'anywhere'} ${held.map((row) => nodes.names[row]).sort()}`
}

function needText(need: readonly { readonly resource: string; readonly amount: number }[]): string {
  return need.map(({ resource, amount }) => `${resource}=${amount}`).join('+')
}

/** What is taken from now on. Segments that tell the same as the one before are left out. */
function ledgerLines(world: World, { segments }: Ledger, title: string, lines: Lines): void {
  let before = ''
  const ahead = segments.filter((_, i) => (segments[i + 1]?.start ?? Number.POSITIVE_INFINITY) > world.now)
  for (const [i, { start, used, standing, reserve, byDomain }] of ahead.entries()) {
    const domains = [...(byDomain ?? [])].map(([domain, vector]) => `${domain}: ${amounts(world, vector)}`)
    const runs = `used ${amounts(world, used)} standing ${amounts(world, standing)}`
    const text = `${runs} reserve ${amounts(world, reserve)} by ${domains.sort().join(', ')}`
    if (text !== before) lines.set(`${title} from ${i === 0 ? 'now' : start}`, text)
    before = text
  }
}

function amounts({ resources }: World, vector: readonly number[]): string {
  return resources.names
    .map((name, at) => [name, vector[at] ?? 0] as const)
    .filter(([, amount]) => amount !== 0)
    .map(([name, amount]) => `${name}=${amount}`)
    .sort()
    .join(' ')
}

function nodeLines(world: World, { state, nodes }: Site, lines: Lines): void {
  for (const [row, name] of nodes.names.entries()) {
    const title = `${state.id} node ${name}`
    const free = state.nodes.find((node) => node.name === name)?.free ?? {}
    for (const resource of Object.keys(free)) {
      const cell = row * nodes.width + (world.resources.indexOf.get(resource) ?? -1)
      lines.set(`${title} beside ${resource}`, nodes.beside[cell] ?? Number.NaN)
      lines.set(`${title} left ${resource}`, nodes.left[cell] ?? Number.NaN)
    }
    const ledger = nodes.ledgers[row]
    if (ledger) ledgerLines(world, ledger, title, lines)
  }
}

function boundLines({ index, resources }: World, { state, nodes }: Site, slot: number, lines: Lines): void {
  for (const [at, resource] of resources.names.entries()) {
    lines.set(`${state.id} ${resource} most beside`, nodes.mostBeside[at] ?? 0)
    lines.set(`${state.id} ${resource} most left`, nodes.mostLeft[at] ?? 0)
    if (!index) continue
    for (const role of ['primary', 'standby'] as const) {
      const { bounds, size, width } = index[role]
      const leaf = (size + slot) * width
      lines.set(`${state.id} ${resource} offers as ${role}`, bounds[leaf + at] ?? Number.NaN)
      lines.set(`${state.id} ${resource} node as ${role}`, bounds[leaf + index.resources + at] ?? Number.NaN)
    }
  }
}

/** The first figure that differs; `undefined` when none does. */
export function difference(kept: Lines, fresh: Lines): string | undefined {
  for (const line of new Set([...kept.keys(), ...fresh.keys()])) {
    const [a, b] = [kept.get(line), fresh.get(line)]
    if (a !== b) return `${line}: kept ${a}, from scratch ${b}`
  }
  return undefined
}
