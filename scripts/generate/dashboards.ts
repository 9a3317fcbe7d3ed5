/** Generates the dashboard of the federation for Grafana, on docs/metrics.md and the recording rules of deploy/prometheus. */
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { capacityPanels } from './dashboards/capacity.ts'
import { fallbackPanels } from './dashboards/fallback.ts'
import { headlinePanels } from './dashboards/headlines.ts'
import { brokerPanels, clusterPanels, schedulingPanels } from './dashboards/operation.ts'
import { runbooksLink, variables } from './dashboards/variables.ts'

const rows = {
  Federation: headlinePanels,
  Capacity: capacityPanels,
  Fallback: fallbackPanels,
  'Queue and placement': schedulingPanels,
  Clusters: clusterPanels,
  Broker: brokerPanels,
}

/** The dashboard as Grafana reads it, ending in a newline. */
export function federationDashboard(): string {
  const builder = new DashboardBuilder('gemeentecloud: federation')
    .uid('gemeentecloud-federation')
    .description('One datacenter made of many: what is offered, taken and free, what is protected, and what waits.')
    .tags(['gemeentecloud'])
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .variables(variables)
    .link(runbooksLink)
  for (const [title, panels] of Object.entries(rows)) {
    builder.withRow(new RowBuilder(title))
    for (const panel of panels()) builder.withPanel(panel)
  }
  return `${JSON.stringify(numbered(builder.build()), null, 2)}\n`
}

/** Links to a panel name its number, so each has one. */
function numbered(dashboard: Dashboard): Dashboard {
  return { ...dashboard, panels: dashboard.panels?.map((panel, index) => ({ ...panel, id: index + 1 })) ?? [] }
}
