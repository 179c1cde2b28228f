// Alerts: those that are open on top of the page, those that are over as rows.

import { duration } from "./format.js";
import { ago, cell, element, small, when } from "./view.js";

const KINDS = { critical: "bad", warning: "warn", info: "info" };
const LOUDNESS = ["critical", "warning", "info"];

/** Those that are silenced last, the loudest first, those that fire before those that may yet, and of equals those that began last. */
export function byLoudness(a, b) {
  return Number(a.silenced_by != null) - Number(b.silenced_by != null) || LOUDNESS.indexOf(a.severity) - LOUDNESS.indexOf(b.severity)
    || Number(a.state === "pending") - Number(b.state === "pending") || b.active_at_us - a.active_at_us;
}

/** The loudest of the alerts that fire and are not silenced, null if none does. */
export const loudest = (alerts) => alerts.filter((alert) => alert.state === "firing" && alert.silenced_by == null).sort(byLoudness)[0]?.severity ?? null;

const severity = (alert) => element("span", { className: `tag ${KINDS[alert.severity] ?? ""}` }, alert.severity);

/** Until when nobody is told of it, and why. */
function silence({ silenced_by }) {
  if (silenced_by == null) return null;
  const until = element("time", { dateTime: silenced_by.ends_at, title: silenced_by.ends_at }, silenced_by.ends_at.slice(0, 16).replace("T", " "));
  return element("span", { className: "item silence" }, "silenced until ", until, ` UTC: ${silenced_by.comment}`);
}

/** A link to what to do about it, on this server by whatever name it was reached. */
const runbook = (alert, text) => element("a", { href: `runbooks/${encodeURIComponent(alert.rule)}` }, text);

/** An alert that is not over. `alert.named` says that its network has to be told. */
export function alertItem(alert) {
  return element("li", { className: `alert ${alert.state}${alert.silenced_by == null ? "" : " silenced"}` },
    severity(alert),
    element("span", { className: "what", id: `alert-${alert.id}` },
      element("b", {}, alert.summary), " ",
      element("span", { className: "about" },
        element("span", { className: "item" }, `${alert.state} for `, ago(alert.active_at_us, alert.active_at),
          alert.state === "pending" ? ", fires if it goes on" : null),
        element("span", { className: "item" }, `rule ${alert.rule}`),
        silence(alert),
        alert.named ? element("span", { className: "item" }, `network ${alert.network}`) : null,
        element("span", { className: "item" }, runbook(alert, "what to do")))));
}

export function pastRow(alert) {
  const unfired = alert.fired_at == null ? small(" · did not fire") : null;
  return element("tr", { id: `alert-${alert.id}` },
    when(alert.active_at_us, alert.active_at),
    cell("number", duration(alert.resolved_at_us - alert.active_at_us)),
    cell("", severity(alert)),
    element("th", { scope: "row" }, runbook(alert, alert.rule)),
    cell("wrap", alert.summary, unfired, alert.silenced_by == null ? null : small(" · silenced")),
  );
}
