/** The kinds of panels of a dashboard, each with what must not be forgotten: description, unit, no invented zeros. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { MappingType, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

export const datasource = { type: 'prometheus', uid: '${datasource}' }

export interface Panel {
  readonly title: string
  /** What the figures mean and when to worry. */
  readonly description: string
  readonly unit: string
  /** Columns of 24, and height. */
  readonly size: readonly [width: number, height: number]
  /** Name → expression. A name may hold labels as {{label}}. */
  readonly queries: Readonly<Record<string, string>>
}

export type Steps = readonly (readonly [from: number | null, color: string])[]

const targets = (queries: Panel['queries']) =>
  Object.entries(queries).map(([name, expr], index) =>
    new DataqueryBuilder()
      .refId(String.fromCharCode('A'.charCodeAt(0) + index))
      .expr(expr)
      .legendFormat(name),
  )

const thresholds = (steps: Steps) =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps.map(([value, color]) => ({ value, color })))

/** Figures over time. A gap stays a gap. */
export function timeseries({ title, description, unit, size, queries }: Panel): TimeseriesBuilder {
  return new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .min(0)
    .noValue('not known')
    .spanNulls(false)
    .span(size[0])
    .height(size[1])
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(targets(queries).map((query) => query.range()))
}

/** As areas on top of each other, but for the lines whose names match. */
export function stacked(panel: Panel, lines?: string): TimeseriesBuilder {
  const builder = timeseries(panel)
    .fillOpacity(40)
    .lineWidth(1)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
  if (lines === undefined) return builder
  return builder.overrideByRegexp(lines, [
    { id: 'custom.stacking', value: { mode: StackingMode.None } },
    { id: 'custom.fillOpacity', value: 0 },
    { id: 'custom.lineWidth', value: 2 },
  ])
}

/** One figure, coloured by what it means. */
export function stat({ title, description, unit, size, queries }: Panel, steps: Steps): StatBuilder {
  return new StatBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .noValue('not known')
    .span(size[0])
    .height(size[1])
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .thresholds(thresholds(steps))
    .targets(targets(queries).map((query) => query.instant()))
}

/** What each was at each moment, in words. */
export function states({ title, description, unit, size, queries }: Panel, words: Words): StateTimelineBuilder {
  return new StateTimelineBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .noValue('not known')
    .spanNulls(false)
    .span(size[0])
    .height(size[1])
    .legend(new VizLegendOptionsBuilder().showLegend(false))
    .mappings([{ type: MappingType.ValueToText, options: words }])
    .targets(targets(queries).map((query) => query.range()))
}

export type Words = Readonly<Record<string, { readonly text: string; readonly color: string; readonly index: number }>>

export interface Table extends Panel {
  /** Labels and their titles, in order; the figures follow in the order of the queries. */
  readonly labels: Readonly<Record<string, string>>
}

/** One row for each combination of labels, one column for each query; what is not known is a cell that says so. */
export function table({ title, description, unit, size, queries, labels }: Table): TableBuilder {
  const figures = Object.keys(queries).map(
    (name, index) => [`Value #${String.fromCharCode('A'.charCodeAt(0) + index)}`, name] as const,
  )
  // With one query there is nothing to tell apart, and Grafana names its column Value.
  const columns = [
    ...Object.entries(labels),
    ...(figures.length === 1 ? [['Value', figures[0]?.[1]] as const] : figures),
  ]
  return new TableBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .noValue('not known')
    .span(size[0])
    .height(size[1])
    .filterable(true)
    .targets(targets(queries).map((query) => query.instant().format(PromQueryFormat.Table)))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(columns.map(([column], index) => [column, index])),
        renameByName: Object.fromEntries(columns),
      },
    })
}
