// How far apart nodes saw the same things, as marks on one logarithmic scale.

import { UNKNOWN, count, duration, position } from "./format.js";
import { cell, element, small } from "./view.js";

const percent = (part, whole) => (whole === 0 ? UNKNOWN : `${(100 * part / whole).toFixed(1)} %`);

/** The row of a node. */
export function nodeRow(node, items) {
  const { delay } = node;
  return element("tr", {},
    element("th", { scope: "row" }, node.node),
    element("td", { className: "number", title: `${count(node.first)} of ${count(items)}; for certain ${count(node.surely_first)}` },
      percent(node.first, items), " ", small(`sure ${percent(node.surely_first, items)}`)),
    cell("number", count(node.seen)),
    cell(`number ${node.missed > 0 ? "warn" : ""}`, count(node.missed)),
    cell("number", count(node.refused)),
    delays(delay),
    cell("number", node.clock_unknown > 0 ? "±?" : `±${duration(node.clock_bound.p50_us)}`),
  );
}

/** The row of how long it took until so many nodes had it. */
export function reachRow(reach, items) {
  return element("tr", {},
    element("th", { scope: "row" }, `${count(reach.nodes)} nodes`),
    cell("number", percent(reach.delay.count, items)),
    element("td", { colSpan: 3 }),
    delays(reach.delay),
    element("td", {}),
  );
}

/** The median, nine in ten and 99 in a hundred: as words and as a bar that ends there. */
function delays({ p50_us: half, p90_us: most, p99_us: nearly }) {
  if (half == null) return cell("quiet", "its clock was not compared");
  const bar = element("span", { className: "bar quantiles" }, [nearly, most, half].map((us) => {
    const part = element("i", {});
    part.style.width = `${(100 * position(us)).toFixed(1)}%`;
    return part;
  }));
  bar.setAttribute("aria-hidden", "true");
  const words = [["50 %", half], ["90 %", most], ["99 %", nearly]].map(([share, us]) =>
    element("span", { className: "quantile" }, small(`${share} `), duration(us)));
  return element("td", { className: "delays" }, words, bar);
}
