/** What the reader of a dashboard chooses: source of the figures, region, datacenter, resource; and where the runbooks are. */
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { datasource } from './panels.ts'

/** For the figures of datacenters. */
export const sites = 'region=~"$region",datacenter=~"$datacenter"'
export const figures = `${sites},resource=~"$resource"`

/** All is everything at once, so that the address of the dashboard stays short with hundreds of datacenters. */
const labelVariable = (name: string, label: string, query: string) =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'] })

export const variables = [
  new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
  labelVariable('region', 'Region', 'label_values(gemeentecloud_datacenter_info, region)'),
  labelVariable(
    'datacenter',
    'Datacenter',
    'label_values(gemeentecloud_datacenter_info{region=~"$region"}, datacenter)',
  ),
  labelVariable('resource', 'Resource', 'label_values(gemeentecloud_datacenter_offered, resource)').current({
    text: ['cpu', 'memory'],
    value: ['cpu', 'memory'],
  }),
  new TextBoxVariableBuilder('runbooks')
    .label('Runbooks')
    .description('Address at which docs/runbooks of the repository can be read; the link beside it leads there')
    .defaultValue('/docs/runbooks'),
]

const link = new DashboardLinkBuilder('What to do: runbooks')
  .type(DashboardLinkType.Link)
  .icon('doc')
  .tooltip('A page for each alert: what it means and what to do')
  .url('${runbooks:raw}/README.md')
  .targetBlank(true)

/** At the top of the page: the builder's own choice is a menu, where nobody finds it in the middle of the night. */
export const runbooksLink = {
  build: () => {
    const { placement: _, ...visible } = link.build()
    return visible
  },
}
