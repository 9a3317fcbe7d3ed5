/** Capacity: what is there, offered, used by the owner, hosted, held back and free, per resource, region and datacenter. */
import { stacked, type Table, table, timeseries } from './panels.ts'
import { figures } from './variables.ts'

const figureOf = (name: string, filter = figures) =>
  `datacenter_resource:gemeentecloud_datacenter_${name}:max{${filter}}`

/** The unit of each resource, by the name of the series, which begins with it. */
const unitsByName = [
  ['^cpu ', 'suffix: cores'],
  ['^(memory|ephemeral-storage|storage/)', 'bytes'],
] as const

const shown = {
  Allocatable: 'allocatable',
  'Own use': 'own_use',
  Offered: 'offered',
  Hosted: 'hosted',
  Reserved: 'fallback_reserved',
  Free: 'free',
} as const

/** Those that ask for no region of a datacenter are in every choice: a place in any of these would help some of them. */
const askedRegion = 'region=~"$region|any|other"'

/** A table has one unit, so there is one for each unit, of the resources that are counted in it. */
const perDatacenter = (what: string, unitLabel: string, unit: string): Table => {
  const filter = `${figures},unit="${unitLabel}"`
  const sum = (name: string) => `sum by (datacenter, region, resource) (${figureOf(name, filter)})`
  return {
    title: `Per datacenter: ${what}`,
    description:
      'Free is what can still be placed: the least of what is left of the offer and of the nodes, less what is hosted and' +
      ' held back for fallback. Taken is the part of the offer that is not free. "Not known" is not zero: the cluster was' +
      ' never seen, or the figure does not apply (pooled storage is on no node).',
    unit,
    size: [24, 10],
    labels: { datacenter: 'Datacenter', region: 'Region', resource: 'Resource' },
    queries: {
      ...Object.fromEntries(Object.entries(shown).map(([title, name]) => [title, sum(name)])),
      Taken: `1 - ${sum('free')} / (${sum('offered')} > 0)`,
    },
  }
}

const takenCell = [
  { id: 'unit', value: 'percentunit' },
  { id: 'min', value: 0 },
  { id: 'max', value: 1 },
  { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic' } },
]

export const capacityPanels = () => {
  const whereItGoes = stacked(
    {
      title: 'Where the offered $resource goes',
      description:
        'Of the datacenters in this choice. Areas: hosted, held back for fallback, free. Lines: what is offered, what the' +
        ' owners use themselves, what the nodes can carry. The areas reach the offer where the nodes have room for it.',
      unit: 'short',
      size: [24, 9],
      queries: Object.fromEntries(
        ['hosted', 'fallback_reserved', 'free', 'offered', 'own_use', 'allocatable'].map((name) => [
          `{{resource}} ${name.replace('fallback_', '').replace('_', ' ')}`,
          `sum by (resource) (${figureOf(name)})`,
        ]),
      ),
    },
    ' (offered|own use|allocatable)$',
  )
    .repeat('resource')
    .maxPerRow(2)
  for (const [regexp, unit] of unitsByName) whereItGoes.overrideByRegexp(regexp, [{ id: 'unit', value: unit }])
  return [
    whereItGoes,
    timeseries({
      title: 'Free part of what is offered, per region',
      description:
        'At datacenters that answer. Below 10% GemeentecloudRegionCapacityShort fires. A region without a line has no' +
        ' datacenter that answers, or offers nothing of it.',
      unit: 'percentunit',
      size: [12, 9],
      queries: {
        '{{region}} {{resource}}':
          'region_resource:gemeentecloud_datacenter_free_reachable:ratio{region=~"$region",resource=~"$resource"}',
      },
    }),
    timeseries({
      title: 'Utilisation: taken part of what is offered, per datacenter',
      description: 'What is hosted or held back for fallback, or has no room on the nodes, as a part of the offer.',
      unit: 'percentunit',
      size: [12, 9],
      queries: {
        '{{datacenter}} {{resource}}': `1 - ${figureOf('free')} / (${figureOf('offered')} > 0)`,
      },
    }),
    stacked({
      title: 'Refused and still wanted, by region',
      description:
        'Hostings without a place, by the region they ask; one that asks several counts in each. any: no region asked.' +
        ' other: no datacenter is there. Normally none.',
      unit: 'none',
      size: [12, 9],
      queries: { '{{region}}': `region:gemeentecloud_unmet_demand_hostings:sum{${askedRegion}}` },
    }),
    timeseries({
      title: 'Since when the oldest of them waits, by region',
      description: 'From the request on. Above a day GemeentecloudUnmetDemandOld fires. No line: nobody waits.',
      unit: 's',
      size: [12, 9],
      queries: { '{{region}}': `region:gemeentecloud_unmet_demand_oldest_age_seconds:max{${askedRegion}}` },
    }),
    table(perDatacenter('cores', 'core', 'suffix: cores')).overrideByName('Taken', takenCell),
    table(perDatacenter('bytes', 'byte', 'bytes')).overrideByName('Taken', takenCell),
    table(perDatacenter('pieces', 'integer', 'short')).overrideByName('Taken', takenCell),
  ]
}
