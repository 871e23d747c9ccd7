// The schema that the boards must satisfy: Grafana's own types, with what JSON cannot say made plain.
import type * as current from "@grafana/schema";
import type { Options as BarGaugeOptions } from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type * as StateTimeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as StatusHistory from "@grafana/schema/dist/esm/raw/composable/statushistory/panelcfg/x/StatusHistoryPanelCfg_types.gen";
import type * as Table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as TimeSeries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";
import type * as schema10 from "grafana-schema-10";
import type * as schema11 from "grafana-schema-11";
import type * as schema12 from "grafana-schema-12";

// JSON holds the values of enumerations, not their members; and a constant is read-only all the way down.
type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? `${T}` extends `${infer N extends number}` ? N : never
    : T extends readonly (infer E)[]
      ? readonly Plain<E>[]
      : T extends object
        ? { readonly [K in keyof T]: Plain<T[K]> }
        : T;

// The same where nothing must be there; the types of Grafana 10 forget that it writes null for the lowest threshold.
type Known<T> = T extends string | number
  ? Plain<T>
  : T extends readonly (infer E)[]
    ? readonly Known<E>[]
    : T extends object
      ? { readonly [K in keyof T]?: Known<T[K]> | null }
      : T;

// A query as Grafana's Prometheus data source takes it; its type is in no schema package of Grafana 13.
interface Query {
  datasource: current.DataSourceRef;
  editorMode: "code";
  expr: string;
  format: "time_series" | "table";
  instant: boolean;
  legendFormat: string;
  range: boolean;
  refId: string;
}

interface Field<Custom> extends Omit<current.FieldConfig, "custom" | "links"> {
  custom?: Custom;
  links?: { title: string; url: string; targetBlank: boolean }[];
}

// A property of an override, whose value is of the type that the field of that name has.
type Property<Custom> =
  | { [K in Extract<keyof Field<Custom>, string>]-?: { id: K; value: NonNullable<Field<Custom>[K]> } }[Extract<keyof Field<Custom>, string>]
  | { [K in Extract<keyof Custom, string>]-?: { id: `custom.${K}`; value: NonNullable<Custom[K]> } }[Extract<keyof Custom, string>];

interface Kind<Type extends string, Options, Custom> extends Omit<current.Panel, "type" | "options" | "fieldConfig" | "targets"> {
  type: Type;
  title: string;
  description: string;
  gridPos: current.GridPos;
  options: Options;
  targets: Query[];
  fieldConfig: {
    defaults: Field<Custom>;
    overrides: { matcher: { id: string; options: string }; properties: Property<Custom>[] }[];
  };
}

type Panel =
  | Kind<"bargauge", BarGaugeOptions, Record<string, never>>
  | Kind<"stat", StatOptions, Record<string, never>>
  | Kind<"state-timeline", StateTimeline.Options, StateTimeline.FieldConfig>
  | Kind<"status-history", StatusHistory.Options, StatusHistory.FieldConfig>
  | Kind<"table", Table.Options, Table.FieldConfig>
  | Kind<"timeseries", TimeSeries.Options, TimeSeries.FieldConfig>
  | current.RowPanel;

// What the Prometheus data source adds to an annotation.
interface Annotation extends Omit<current.AnnotationQuery, "target"> {
  expr: string;
  tagKeys: string;
  target: { datasource: current.DataSourceRef; expr: string; refId: string };
  textFormat: string;
  titleFormat: string;
  useValueForTime: boolean;
}

interface Dashboard extends Omit<current.Dashboard, "panels" | "annotations" | "templating"> {
  annotations: { list: Annotation[] };
  panels: Panel[];
  templating: { list: current.VariableModel[] };
}

// Every key is known to Grafana 13, and of its type.
export type Newest = Plain<Dashboard>;
// Whatever an older Grafana knows too is of the type it had there; what it does not know it leaves alone.
export type Older = Known<schema10.Dashboard> & Known<schema11.Dashboard> & Known<schema12.Dashboard>;
