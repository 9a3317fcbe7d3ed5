/** The row of figures at the top: is all well, at one glance. */
import { type Steps, stat } from './panels.ts'
import { sites } from './variables.ts'

const plain: Steps = [[null, 'text']]
const anyIs = (color: string): Steps => [
  [null, 'green'],
  [1, color],
]

const headline = (title: string, description: string, queries: Record<string, string>, steps: Steps) =>
  stat({ title, description, unit: 'none', size: [4, 4], queries }, steps)

const survivable = 'min by (failure_domain) (gemeentecloud_fallback_survivable)'

export const headlinePanels = () => [
  headline(
    'Datacenters that answer',
    'Of the connected datacenters in this choice: how many answer, and how many there are.',
    {
      answer: `sum(datacenter:gemeentecloud_datacenter_up:max{${sites}})`,
      connected: `count(datacenter:gemeentecloud_datacenter_up:max{${sites}})`,
    },
    plain,
  ),
  headline(
    'Hostings',
    'Hostings that have not ended, placed or not.',
    { hostings: 'count(max by (hosting) (gemeentecloud_hosting_info))' },
    plain,
  ),
  headline(
    'Unprotected',
    'Hostings that asked for fallback and have none, those that were not placed at all included.',
    { unprotected: 'sum(status:gemeentecloud_hosting_fallback_status:sum{status="unprotected"})' },
    anyIs('red'),
  ),
  headline(
    'Losses not survived',
    'Failure domains whose loss would leave a hosting with fallback without a place.',
    { 'failure domains': `count(${survivable}) - sum(${survivable})` },
    anyIs('red'),
  ),
  headline(
    'Requests waiting',
    'Hosting requests without a decision. Normally none: a decision takes less than a second.',
    { waiting: 'gemeentecloud_queue_depth:max' },
    anyIs('orange'),
  ),
  headline(
    'Alerts firing',
    'Alerts of deploy/prometheus that fire now. The link above leads to a page for each.',
    { firing: 'count(ALERTS{alertname=~"Gemeentecloud.+",alertstate="firing"}) or vector(0)' },
    anyIs('red'),
  ),
]
