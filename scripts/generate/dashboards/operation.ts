/** How the broker does its work: the queue and decisions, the clusters, the API, and who leads. */
import { stacked, states, timeseries } from './panels.ts'
import { sites } from './variables.ts'

const size = [8, 9] as const

/** Lines for the half and for all but one in a hundred. */
const percentiles = (histogram: string) =>
  Object.fromEntries(
    [0.5, 0.99].map((quantile) => [
      `${quantile * 100}%`,
      `histogram_quantile(${quantile}, sum by (le) (rate(${histogram}_bucket[$__rate_interval])))`,
    ]),
  )

export const schedulingPanels = () => [
  timeseries({
    title: 'Requests waiting',
    description: 'Hosting requests without a decision. It falls back to zero at once, or something is wrong.',
    unit: 'none',
    size,
    queries: { waiting: 'gemeentecloud_queue_depth:max' },
  }),
  stacked({
    title: 'Decisions, by result and reason',
    description: 'Per second. The reason is the rule that refused most datacenters; a placed request has none.',
    unit: 'cps',
    size,
    queries: { '{{result}} {{reason}}': 'sum by (result, reason) (result_reason:gemeentecloud_placements:rate5m)' },
  }),
  timeseries({
    title: 'Time of the engine for one request',
    description: 'How long half of the decisions take, and all but one in a hundred. No line while nothing is decided.',
    unit: 's',
    size,
    queries: percentiles('gemeentecloud_placement_duration_seconds'),
  }),
  stacked({
    title: 'Hostings by state',
    description:
      'unschedulable: refused, with a reason for every datacenter. degraded: placed, but not seen to be well.',
    unit: 'none',
    size: [24, 8],
    queries: { '{{state}}': 'count by (state) (max by (hosting, state) (gemeentecloud_hosting_info))' },
  }),
]

export const clusterPanels = () => [
  states(
    {
      title: 'Datacenters that answer',
      description: 'Whether the cluster of a datacenter answers the heartbeat. A gap: the broker was not there to ask.',
      unit: 'none',
      size: [24, 12],
      queries: { '{{datacenter}}': `datacenter:gemeentecloud_datacenter_up:max{${sites}}` },
    },
    { 1: { text: 'answers', color: 'green', index: 0 }, 0: { text: 'does not answer', color: 'red', index: 1 } },
  ),
  stacked({
    title: 'Passes over datacenters, by result',
    description: 'Per second. changed: something was made, mended or taken away. failed: cut short, and tried again.',
    unit: 'cps',
    size,
    queries: {
      '{{result}}':
        'sum by (result) (rate(gemeentecloud_reconcile_total{datacenter=~"$datacenter"}[$__rate_interval]))',
    },
  }),
  timeseries({
    title: 'Time of a pass',
    description: 'From reading what is wanted to the last object as it should be, over all datacenters.',
    unit: 's',
    size,
    queries: percentiles('gemeentecloud_reconcile_duration_seconds'),
  }),
  timeseries({
    title: 'Age of inventories',
    description:
      'Since when the inventory of a datacenter was last known to be true. Over 10 minutes nothing is placed.',
    unit: 's',
    size,
    queries: {
      '{{datacenter}}':
        'min by (datacenter) (gemeentecloud_datacenter_heartbeat_age_seconds{datacenter=~"$datacenter"})',
    },
  }),
]

export const brokerPanels = () => [
  stacked({
    title: 'Answers of the API, by status',
    description: 'Per second. 5xx are mistakes of ours; 503 is too busy just now.',
    unit: 'cps',
    size,
    queries: {
      '{{status}}': 'sum by (status) (rate(gemeentecloud_http_request_duration_seconds_count[$__rate_interval]))',
    },
  }),
  timeseries({
    title: 'Time of the API, all but one in a hundred',
    description: 'By route. A client that asks to wait for the decision, or follows the events, makes its own time.',
    unit: 's',
    size,
    queries: {
      '{{method}} {{route}}':
        'histogram_quantile(0.99, sum by (le, method, route)' +
        ' (rate(gemeentecloud_http_request_duration_seconds_bucket[$__rate_interval])))',
    },
  }),
  states(
    {
      title: 'Who leads',
      description: 'One replica schedules and looks after the clusters. No green: nobody does. Two: see the runbook.',
      unit: 'none',
      size,
      queries: { '{{instance}}': 'max by (instance) (gemeentecloud_leader)' },
    },
    { 1: { text: 'leads', color: 'green', index: 0 }, 0: { text: 'stands by', color: 'text', index: 1 } },
  ),
]
