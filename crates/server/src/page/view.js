// Data to table rows. Every text from a node reaches the page as text, never as markup.

import { UNKNOWN, age, bytes, count, duration, ends, position } from "./format.js";

/** After so long without a word from its agent a node is shown as silent. Agents speak every second. */
const SILENT_US = 15e6;

/** An element with properties, and children that are elements or texts; null children are left out. */
export function element(name, properties, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (key === "data") Object.assign(made.dataset, value);
    else if (value != null) made[key] = value;
  }
  made.append(...children.flat().filter((child) => child != null && child !== ""));
  return made;
}

export const cell = (className, ...children) => element("td", { className }, ...children);
export const small = (text) => element("span", { className: "small" }, text);

/** A time that is shown as its age and grows by itself (see `tick`). */
export function ago(us, iso) {
  return us == null ? UNKNOWN : element("time", { dateTime: iso, title: iso, data: { us } });
}

/** A cell with the time of day, to the millisecond where `fine`, and how long ago that was. */
export function when(us, iso, fine = false) {
  const clock = element("span", { className: "clock", title: iso }, iso.slice(11, fine ? 23 : 19));
  return cell("number when", clock, " ", element("span", { className: "small ago" }, ago(us, iso), " ago"));
}

/** Shows every age as of `nowUs`. */
export function tick(nowUs) {
  for (const time of document.querySelectorAll("time[data-us]")) {
    const text = age(nowUs - Number(time.dataset.us));
    if (time.textContent !== text) time.textContent = text;
  }
}

/** Text in which what stands between backticks is code. */
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? element("code", {}, part) : part));
}

export function hash(value, what) {
  const label = `Copy ${what} ${value}`;
  const button = element("button", { type: "button", className: "hash", title: value, data: { hash: value } });
  const [head, tail] = ends(value);
  button.append(element("span", { className: "head" }, head), "…", tail);
  button.setAttribute("aria-label", label);
  return button;
}

/** Makes the table or list `body` show `items`, one row or more each. Rows of items that did not change stay, with focus and
    selection. */
export function fill(body, items, key, build, empty) {
  const old = body.rowsOfKey ?? new Map();
  const rows = new Map();
  for (const item of items) {
    const text = JSON.stringify(item);
    const known = old.get(key(item));
    rows.set(key(item), known?.text === text ? known : { text, elements: build(item) });
  }
  body.rowsOfKey = rows;
  const wanted = [...rows.values()].flatMap((row) => row.elements);
  if (wanted.length === 0) {
    const head = body.parentElement.tHead;
    wanted.push(head == null ? element("li", { className: "empty" }, empty)
      : element("tr", {}, element("td", { className: "empty", colSpan: head.rows[0].cells.length }, empty)));
  }
  wanted.forEach((row, index) => {
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
  });
  while (body.children.length > wanted.length) body.lastElementChild.remove();
}

/** The rows of a node; `best` is the greatest height on its network. */
export function nodeRows(node, nowUs, best) {
  const silent = nowUs - node.heard_at_us > SILENT_US;
  const row = element("tr", {},
    element("th", { scope: "row" }, element("span", { className: `dot ${silent ? "warn" : "good"}` }), " ", node.node),
    element("td", { className: "version", title: node.version }, node.version ?? UNKNOWN),
    cell("number", heightOf(node, best)),
    cell("number", ago(node.tip_at_us, node.tip_at)),
    cell("number", peers(node)),
    cell("number", mempool(node)),
    cell("number", clock(node)),
    cell("", element("span", { className: "chips" }, node.sources.map(source))),
    cell("", agent(node.agent)),
    cell(`number ${silent ? "warn" : ""}`, ago(node.heard_at_us, node.heard_at)),
  );
  const notes = notesOf(node, silent);
  if (notes.length === 0) return [row];
  const items = notes.map((note) => element("span", { className: "item" }, prose(note)));
  return [row, element("tr", { className: "note" }, element("td", {}), element("td", { colSpan: 9 }, items))];
}

function heightOf(node, best) {
  const parts = [count(node.height)];
  if (node.height != null && node.height < best) {
    parts.push(" ", element("span", { className: "warn", title: "behind the highest node" }, `−${count(best - node.height)}`));
  }
  if (node.initial_block_download) parts.push(" ", small("initial download"));
  return parts;
}

function peers({ peers_in: inbound, peers_out: outbound }) {
  return inbound == null && outbound == null ? UNKNOWN : `${count(inbound)} / ${count(outbound)}`;
}

function mempool(node) {
  if (node.mempool_transactions == null) return UNKNOWN;
  const size = node.mempool_virtual_bytes == null ? null : small(` ${bytes(node.mempool_virtual_bytes).replace("B", "vB")}`);
  return [`${count(node.mempool_transactions)} tx`, size];
}

function clock(node) {
  if (node.clock_bound_us == null) {
    return element("span", { className: "warn", title: "No time exchange with the server yet" }, "unknown");
  }
  const title = `This host's clock is ${duration(Math.abs(node.clock_offset_us))} `
    + `${node.clock_offset_us < 0 ? "ahead of" : "behind"} the server's`;
  return element("span", { title }, `±${duration(node.clock_bound_us)}`);
}

function source(state) {
  const mark = state.working ? "✓" : "✗";
  const shown = element("span", { className: "chip", title: state.detail }, state.source, " ",
    element("span", { className: state.working ? "good" : "bad" }, mark));
  shown.setAttribute("aria-label", `${state.source} ${state.working ? "works" : "does not work"}`);
  return shown;
}

function agent(health) {
  if (health == null) return UNKNOWN;
  const waiting = health.spool_batches > 1 ? element("span", { className: "warn" }, ` ${count(health.spool_batches)} batches wait`) : null;
  const title = `Spool ${bytes(health.spool_bytes)}; ${count(health.log_lines)} log lines, `
    + `${count(health.zmq_messages)} ZMQ messages, ${count(health.rpc_calls)} RPC calls (${count(health.rpc_errors)} failed) since it started`;
  return element("span", { title }, health.version, small(` ${bytes(health.resident_bytes)}`), waiting);
}

function notesOf(node, silent) {
  const notes = node.sources.filter((state) => !state.working).map((state) => `${state.source} does not work: ${state.detail}`);
  if (silent) notes.push("its agent is silent: what is shown may be old");
  if (node.host.clock_synchronised === false) notes.push("its host's kernel says that the clock is not synchronised");
  if (node.agent?.dropped_events > 0) notes.push(`its agent dropped ${count(node.agent.dropped_events)} events: the spool was full`);
  return [...notes, ...node.warnings.map((warning) => `the node warns: ${warning}`)];
}

/** The row of a block, with a cell for each of `names`. `block.left` says that some node left it in a reorg. */
export function blockRow(block, names) {
  return element("tr", {},
    element("th", { scope: "row", className: "number" }, element("a", { href: `#block=${block.block}`, title: "Its way through the nodes" }, count(block.height))),
    cell("", hash(block.block, "block"), tagOf(block)),
    miner(block.miner),
    when(block.first_at_us, block.first_at, true),
    names.map((name) => arrival(block, name)),
  );
}

/** Who mined a block: a dash while its coinbase was not read. */
function miner(miner) {
  if (miner == null) return element("td", { className: "pool quiet", title: "Its coinbase was not read" }, UNKNOWN);
  const text = miner.coinbase_text === "" ? "Its coinbase has no text" : `Its coinbase says ${miner.coinbase_text}`;
  const by = miner.by == null ? "" : `Known by its ${miner.by.kind} ${miner.by[miner.by.kind]}. `;
  return element("td", { className: `pool ${miner.pool == null ? "quiet" : ""}`, title: by + text }, miner.pool ?? "not known");
}

function tagOf(block) {
  if (block.invalid_for.length > 0) return element("span", { className: "tag bad" }, "invalid");
  return block.left ? element("span", { className: "tag", title: "A node left it in a reorg" }, "reorged") : null;
}

function arrival(block, name) {
  if (block.invalid_for.includes(name)) return cell("arrival bad", "invalid");
  const rank = block.connected.findIndex((other) => other.node === name);
  if (rank < 0) return cell("arrival quiet", block.missing.includes(name) ? "—" : "");
  const { delay_us: delay, bound_us: bound, distinguishable, at, source: told } = block.connected[rank];
  const title = `${at}, told by ${told}`;
  if (rank === 0) return firstCell(block.connected, title);
  const kind = { true: "late", false: "close", null: "unknown" }[distinguishable];
  const text = `${distinguishable === false ? "≈ " : ""}+${duration(delay)}`;
  return arrivalCell(kind, title, text, bound == null ? "±?" : `±${duration(bound)}`, delay);
}

/** The first node is so for certain only if the clocks tell every other one from it. */
function firstCell([, ...others], title) {
  if (others.some((other) => other.distinguishable === false)) return arrivalCell("close", title, "≈ first", null, 0);
  if (others.some((other) => other.distinguishable == null)) return arrivalCell("unknown", title, "first", "±?", 0);
  return arrivalCell("first", title, "first", null, 0);
}

function arrivalCell(kind, title, text, bound, delay) {
  const fill = element("i", {});
  fill.style.width = `${(100 * position(delay)).toFixed(1)}%`;
  const bar = element("span", { className: "bar" }, fill);
  bar.setAttribute("aria-hidden", "true");
  return element("td", { className: `arrival ${kind}`, title }, element("b", {}, text), bound && small(bound), bar);
}

export function reorgRow(reorg) {
  const blocks = (hashes) => hashes.map((value) => hash(value, "block"));
  return element("tr", {},
    when(reorg.at_us, reorg.at),
    element("th", { scope: "row" }, reorg.node),
    cell("number", count(reorg.fork_height)),
    cell("number", count(reorg.depth)),
    cell("left", blocks(reorg.old)),
    cell("", reorg.new.length > 0 ? blocks(reorg.new) : small("none")),
  );
}

export function rejectionRow(rejection) {
  const detail = rejection.reason.startsWith(rejection.code) ? rejection.reason.slice(rejection.code.length) : rejection.reason;
  return element("tr", {},
    when(rejection.at_us, rejection.at),
    element("th", { scope: "row" }, rejection.node),
    cell("", hash(rejection.txid, "transaction")),
    cell("wrap", rejection.code, small(detail)),
  );
}

export function invalidRow(verdict) {
  return element("tr", {},
    when(verdict.at_us, verdict.at),
    element("th", { scope: "row" }, verdict.node),
    cell("number", count(verdict.height)),
    cell("", hash(verdict.block, "block")),
    cell("wrap", verdict.reason ?? UNKNOWN),
  );
}

export function gapRow(gap) {
  return element("tr", {},
    when(gap.at_us, gap.at),
    element("th", { scope: "row" }, gap.node),
    cell("", gap.source),
    cell("number", gap.from_us == null ? UNKNOWN : duration(gap.to_us - gap.from_us)),
    cell("number", count(gap.lost)),
    cell("wrap", prose(gap.reason)),
  );
}
