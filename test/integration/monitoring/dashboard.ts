import * as z from 'zod';
import { dashboardText } from './rules.ts';

const datasource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });
const gridPos = z.strictObject({
  h: z.int().positive(),
  w: z.int().positive().max(24),
  x: z.int().min(0).max(23),
  y: z.int().min(0),
});
const target = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource,
  expr: z.string().nonempty(),
  legendFormat: z.string(),
  instant: z.boolean().optional(),
  format: z.enum(['table', 'time_series']).optional(),
});
const row = z.strictObject({
  id: z.int(),
  type: z.literal('row'),
  title: z.string().nonempty(),
  collapsed: z.literal(false),
  gridPos,
  panels: z.array(z.never()),
});
const chart = z.strictObject({
  id: z.int(),
  type: z.enum(['stat', 'timeseries', 'table']),
  title: z.string().nonempty(),
  description: z.string().nonempty(),
  datasource,
  gridPos,
  fieldConfig: z.strictObject({
    defaults: z.looseObject({
      unit: z.enum(['short', 's', 'Bps', 'bytes', 'percent', 'percentunit', 'ops', 'reqps']),
    }),
    overrides: z.array(z.never()),
  }),
  options: z.looseObject({}),
  targets: z.array(target).nonempty(),
});

/** The part of Grafana's dashboard model, of schema version 39, that ours uses. */
const dashboardModel = z.strictObject({
  uid: z.string().max(40),
  title: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  schemaVersion: z.literal(39),
  version: z.int(),
  editable: z.boolean(),
  graphTooltip: z.literal([0, 1, 2]),
  refresh: z.string(),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  timezone: z.string(),
  annotations: z.strictObject({ list: z.array(z.never()) }),
  links: z.array(z.never()),
  templating: z.strictObject({
    list: z.tuple([
      z.looseObject({ name: z.literal('datasource'), type: z.literal('datasource'), query: z.literal('prometheus') }),
    ]),
  }),
  panels: z.array(z.discriminatedUnion('type', [row, chart])),
});

export const dashboard = dashboardModel.parse(JSON.parse(dashboardText));
export const charts = dashboard.panels.filter((panel) => panel.type !== 'row');

/** Every query of the dashboard, with the interval that Grafana would choose. */
export const queries: readonly { readonly panel: string; readonly expr: string }[] = charts.flatMap(
  ({ title, targets }) =>
    targets.map(({ expr }) => ({ panel: title, expr: expr.replaceAll('$__rate_interval', '5m') })),
);
