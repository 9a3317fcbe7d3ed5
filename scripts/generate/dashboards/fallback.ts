/** Fallback: how many hostings are protected, which are not, and which losses would be survived. */
import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard'
import { stacked, table } from './panels.ts'

const colours = { none: 'text', ready: 'green', degraded: 'orange', unprotected: 'red' } as const
const coloured = { id: 'custom.cellOptions', value: { type: 'color-text' } }

const status = (name: string) => `max by (hosting, system) (gemeentecloud_hosting_fallback_status{status="${name}"})`

const verdict = (words: Record<string, readonly [text: string, color: string]>) => [
  {
    id: 'mappings',
    value: [
      {
        type: MappingType.ValueToText,
        options: Object.fromEntries(
          Object.entries(words).map(([value, [text, color]], index) => [value, { text, color, index }]),
        ),
      },
    ],
  },
  { id: 'unit', value: 'none' },
  coloured,
]

export const fallbackPanels = () => {
  const byStatus = stacked({
    title: 'Hostings by fallback status',
    description:
      'none: no fallback asked. ready: the standby stands and answers, the capacity is held. degraded: the standby is not' +
      ' there yet or does not answer. unprotected: asked for, and there is none.',
    unit: 'none',
    size: [8, 10],
    queries: { '{{status}}': 'sum by (status) (status:gemeentecloud_hosting_fallback_status:sum)' },
  })
  for (const [name, fixedColor] of Object.entries(colours))
    byStatus.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }])
  return [
    byStatus,
    table({
      title: 'Weakest fallback first',
      description: 'The 25 placed hostings with the weakest fallback, with where they run and where they fall back to.',
      unit: 'none',
      size: [8, 10],
      labels: { hosting: 'Hosting', system: 'System', datacenter: 'Runs at', standby: 'Falls back to' },
      queries: {
        Fallback:
          `topk(25, (2 * ${status('unprotected')} + ${status('degraded')}) * on (hosting) group_left (datacenter, standby)` +
          ' max by (hosting, datacenter, standby) (gemeentecloud_hosting_info{datacenter!="",datacenter=~"$datacenter"}))',
      },
    }).overrideByName(
      'Fallback',
      verdict({ 0: ['well', 'green'], 1: ['degraded', 'orange'], 2: ['unprotected', 'red'] }),
    ),
    table({
      title: 'What if this were lost',
      description:
        'Every failure domain that a hosting with fallback depends on: whether all would fit at their standbys when it is' +
        ' lost, checked from scratch by the leader every 15 seconds when it has time, and what would be missing.',
      unit: 'none',
      size: [8, 10],
      labels: { failure_domain: 'Failure domain' },
      queries: {
        Loss: 'min by (failure_domain) (gemeentecloud_fallback_survivable)',
        'Missing cpu': 'max by (failure_domain) (gemeentecloud_fallback_shortfall{resource="cpu"})',
        'Missing memory': 'max by (failure_domain) (gemeentecloud_fallback_shortfall{resource="memory"})',
      },
    })
      .overrideByName('Loss', verdict({ 0: ['not survived', 'red'], 1: ['survived', 'green'] }))
      .overrideByName('Missing cpu', [{ id: 'unit', value: 'suffix: cores' }])
      .overrideByName('Missing memory', [{ id: 'unit', value: 'bytes' }]),
  ]
}
