// One block's way through every node, as bars on one scale.

import { bytes, count, duration } from "./format.js";
import { element, hash, small } from "./view.js";

const NAMES = {
  announced: "announced", header: "header seen", requested: "requested", "compact-block": "compact block",
  "transactions-requested": "transactions requested", received: "received", reconstructed: "reconstructed",
  connecting: "connecting begun", checked: "checked", connected: "connected", tip: "tip",
};
const ANNOUNCED = { inv: "by its hash", headers: "by its header", cmpctblock: "as a compact block", block: "by sending it" };
/** What `-debug=bench` tells in the order of the time; transactions are part of scripts, and these with others of connecting. */
const STAGES = [
  ["load_us", "reading it"], ["sanity_us", "sanity checks"], ["forks_us", "fork checks"], ["scripts_us", "transactions and scripts"],
  ["undo_us", "undo data"], ["index_us", "index"], ["flush_us", "flush"], ["chainstate_us", "chainstate"],
  ["postprocess_us", "afterwards"],
];

/** What stands above the bars: which block, who has it, and what else is at its height. */
export function about(reply) {
  const facts = [
    reply.miner == null ? null : ["mined by ", reply.miner.pool ?? "a pool that is not known"],
    ["first seen ", element("time", { dateTime: reply.first_at }, reply.first_at.replace("T", " ").replace("Z", " UTC"))],
    reply.missing.length === 0 ? null : ["not connected by ", reply.missing.join(", ")],
    reply.invalid_for.length === 0 ? null : ["invalid to ", element("span", { className: "bad" }, reply.invalid_for.join(", "))],
    reply.others.length === 0 ? null : ["beside ", reply.others.flatMap((other) => [link(other), " "])],
  ];
  return facts.filter((fact) => fact != null).map((fact) => element("span", { className: "item" }, fact.flat()));
}

export const title = (reply) => [`Block ${count(reply.height)} `, hash(reply.block, "block")];

/** The place of a block on the page: its waterfall is shown where the address ends in it. */
export const link = (block, text) => element("a", { href: `#block=${block}`, title: block }, text ?? `…${block.slice(-10)}`);

/** The bodies of the table, one for each node. */
export function bodies(reply) {
  const [first] = reply.waterfall;
  if (first == null) return [];
  const begin = (way) => way.at_us - first.at_us;
  const all = Math.max(1, ...reply.waterfall.map((way) => begin(way) + lasted(way)));
  const longest = Math.max(1, ...reply.waterfall.map(lasted));
  return reply.waterfall.map((way) => {
    const took = reply.processing.find((row) => row.node === way.node);
    return element("tbody", {}, nodeRow(way, begin(way), all), way.steps.map((step, index) => {
      const before = index === 0 ? 0 : way.steps[index - 1].after_us;
      return stepRow(step, before, longest);
    }), took == null ? null : tookRow(took, way, longest));
  });
}

/** What the edges of the bars stand for: of the nodes', and of the steps'. */
export function scales(reply) {
  const [first] = reply.waterfall;
  if (first == null) return "";
  const all = Math.max(...reply.waterfall.map((way) => way.at_us - first.at_us + lasted(way)));
  const longest = Math.max(...reply.waterfall.map(lasted));
  return `nodes 0 to ${duration(all)}, steps 0 to ${duration(longest)}`;
}

const many = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
const lasted = (way) => way.steps.at(-1)?.after_us ?? 0;

function nodeRow(way, begin, all) {
  return element("tr", { className: "way" },
    element("th", { scope: "rowgroup" }, way.node),
    element("td", { className: "number", title: "From its first step to its last" }, duration(lasted(way))),
    delayCell(way),
    element("td", { className: "track" }, bar([[begin, begin + lasted(way)]], all)),
    element("td", {}, small(way.distinguishable === false && way.delay_us > 0 ? "not distinguishable from the first" : "")),
  );
}

function stepRow(step, before, longest) {
  return element("tr", { title: `${step.at}, told by ${step.source}` },
    element("td", { className: "step" }, NAMES[step.step] ?? step.step),
    element("td", { className: "number" }, duration(step.after_us)),
    delayCell(step),
    element("td", { className: "track" }, bar([[before, step.after_us]], longest)),
    element("td", { className: "told" }, told(step)),
  );
}

/** How long connecting took, with a part of the bar for each stage. */
function tookRow(took, way, longest) {
  const begun = way.steps.find((step) => step.step === "connecting")?.after_us ?? 0;
  let at = begun;
  const known = STAGES.filter(([key]) => took[key] != null);
  const whole = took.load_us != null;
  const parts = known.map(([key, name]) => {
    const part = [at, at + took[key], `${name} ${duration(took[key])}`];
    at += took[key];
    return part;
  });
  const words = known.map(([key, name]) => `${name} ${duration(took[key])}`).join(", ");
  const content = took.transactions == null ? "" : `${many(took.transactions, "transaction")}, ${many(took.inputs, "input")}. `;
  return element("tr", { className: "took" },
    element("td", { className: "step" }, "connecting took"),
    element("td", { className: "number" }, duration(took.total_us)),
    element("td", {}),
    element("td", { className: "track" }, bar(whole ? parts : [[begun, begun + took.total_us]], longest)),
    element("td", { className: "told" }, content + words),
  );
}

function delayCell({ delay_us: delay, bound_us: bound, distinguishable }) {
  if (delay === 0 && bound === 0) return element("td", { className: "number" }, "first");
  const kind = { true: "late", false: "close", null: "unknown" }[distinguishable];
  const text = `${distinguishable === false ? "≈ " : ""}${delay < 0 ? "" : "+"}${duration(delay)}`;
  return element("td", { className: `number ${kind}` }, text, " ", small(bound == null ? "±?" : `±${duration(bound)}`));
}

/** Stretches of time `[from, to, title]` on a scale from 0 to `end`. A short one is a line. */
function bar(stretches, end) {
  const place = (us) => 100 * Math.min(1, Math.max(0, us / end));
  const made = element("span", { className: "stretch" }, stretches.map(([from, to, title]) => {
    const part = element("i", { title });
    part.style.left = `${place(Math.min(from, to)).toFixed(2)}%`;
    part.style.width = `${Math.max(0, place(to) - place(from)).toFixed(2)}%`;
    return part;
  }));
  made.setAttribute("aria-hidden", "true");
  return made;
}

function told(step) {
  const from = step.peer == null ? "" : ` from peer ${step.peer}`;
  switch (step.step) {
    case "announced": return `${ANNOUNCED[step.message] ?? step.message} by peer ${step.peer}`;
    case "requested":
    case "transactions-requested": return from.trim();
    case "compact-block":
    case "received": return `${step.bytes == null ? "" : bytes(step.bytes)}${from}`.trim();
    case "reconstructed": return reconstructed(step, from);
    default: return "";
  }
}

function reconstructed(step, from) {
  const extra = step.from_extra === 0 ? "" : ` (at least ${count(step.from_extra)} of the extra pool)`;
  const size = step.requested === 0 || (step.requested_bytes ?? step.message_bytes) == null ? ""
    : ` (${bytes(step.requested_bytes ?? step.message_bytes)})`;
  return `${count(step.prefilled)} prefilled, ${count(step.from_mempool)} from mempool${extra}, `
    + `${count(step.requested)} requested${size}${from === "" ? "" : `;${from}`}`;
}
