// Reads a list of dashboards as JSON from stdin, and prints a line for each thing in them that is not of the types of Grafana's
// dashboard model: those of dashboards and panels, and of the options of each kind of panel.
import { readFileSync } from "node:fs";
import ts from "typescript";

const raw = "./node_modules/@grafana/schema/dist/esm/raw/composable";
const kinds = {
  timeseries: "TimeSeries",
  stat: "Stat",
  table: "Table",
  heatmap: "Heatmap",
  bargauge: "BarGauge",
  logs: "Logs",
};
// These have settings for single fields too.
const withFields = ["timeseries", "table", "heatmap"];

// In JSON the value of an enumeration is its text.
const lines = [
  'import type { Dashboard, FieldConfigSource, Panel, RowPanel } from "@grafana/schema";',
  "type Loose<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T",
  "  : T extends object ? { [K in keyof T]: Loose<T[K]> } : T;",
];
for (const [kind, name] of Object.entries(kinds)) {
  const fields = withFields.includes(kind) ? `, FieldConfig as ${kind}Fields` : "";
  const file = `${raw}/${kind}/panelcfg/x/${name}PanelCfg_types.gen`;
  lines.push(`import type { Options as ${kind}Options${fields} } from "${file}";`);
}

const places = [];
function must(place, value, type) {
  lines.push(`export const v${lines.length} = ${JSON.stringify(value)} satisfies Loose<${type}>;`);
  places[lines.length] = place;
}

for (const { panels, ...dashboard } of JSON.parse(readFileSync(0, "utf8"))) {
  must(dashboard.uid, dashboard, "Dashboard");
  for (const { options, fieldConfig, ...panel } of panels) {
    const place = `${dashboard.uid}: ${panel.title}`;
    if (panel.type === "row") {
      must(place, panel, "RowPanel");
      continue;
    }
    if (!(panel.type in kinds)) throw new Error(`${place}: no types for panels of type ${panel.type}`);
    const { custom, ...defaults } = fieldConfig.defaults;
    must(place, panel, 'Omit<Panel, "options" | "fieldConfig">');
    must(place, { ...fieldConfig, defaults }, "FieldConfigSource");
    must(place, options, `Partial<${panel.type}Options>`);
    must(place, custom, withFields.includes(panel.type) ? `Partial<${panel.type}Fields>` : "Record<string, never>");
  }
}

const name = "dashboards.ts";
const options = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  types: [],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2022,
};
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists } = host;
host.fileExists = (file) => file === name || fileExists(file);
host.getSourceFile = (file, ...rest) =>
  file === name
    ? ts.createSourceFile(name, lines.join("\n"), options.target)
    : getSourceFile(file, ...rest);
for (const { file, start, messageText } of ts.getPreEmitDiagnostics(ts.createProgram([name], options, host))) {
  const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
  console.log(`${places[line] ?? "?"}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
}
