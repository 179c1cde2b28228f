// The page: asks the public API for what changed and shows it.

import { age } from "./format.js";
import { follow } from "./live.js";
import "./theme.js";
import * as alerts from "./alert.js";
import * as chain from "./chain.js";
import * as spread from "./spread.js";
import * as view from "./view.js";
import * as waterfall from "./waterfall.js";

/** Least time between two requests for the same list. */
const PACE_MS = 400;
/** How often it is asked how far apart nodes saw things: each hour of that is said once a minute. */
const SPREAD_PACE_MS = 30_000;
const BLOCKS = 15;
/** Rows of the lists below the blocks. */
const ROWS = 12;
const FORKS = 6;
/** As many as the API gives at once: an alert that is open is never left out for being old. */
const OPEN_ALERTS = 500;
/** Those that are over are picked from this many. */
const ALERTS = 50;
/** Columns of the table of blocks before those of the nodes. */
const BLOCK_COLUMNS = 4;

const byId = (id) => document.getElementById(id);
const body = (id) => byId(id).tBodies[0];

/** What the API said last, by list. */
const data = {
  nodes: [], blocks: [], forks: [], stale_blocks: [], partitions: [], validity_disagreements: [],
  reorgs: [], rejections: [], invalid_blocks: [], gaps: [], open_alerts: [], alerts: [], double_spends: [],
};
/** The server's clock minus this browser's, in microseconds. */
let aheadUs = 0;
let updatedAt = null;
/** The network that is shown, where there are several. */
let chosen = null;
let newestBlock = null;
/** What the API said of the block that the address of the page names, `null` while it names none. */
let block = null;
/** That reply as it is shown, as text. */
let shownBlock = null;
/** What the API said of how far apart nodes saw the things in question. */
let apart = null;
/** Of what: `tx` or `block`. */
let apartOf = "tx";
/** Alerts that fire and that were said aloud. */
let told = new Set();
/** The id of the alert that was brought into view. */
let namedAlert = null;

const nowUs = () => Date.now() * 1_000 + aheadUs;

/** The lists by name. A list's name is its topic in the stream, and its field in the reply goes to the same field of `data`,
    unless it says otherwise. */
const lists = {
  "open-alerts": { path: `alerts?open=true&limit=${OPEN_ALERTS}`, topic: "alerts", field: "open_alerts", show: showAlerts },
  alerts: { path: `alerts?limit=${ALERTS}`, show: showPastAlerts },
  nodes: { path: "nodes", show: showNodes },
  blocks: { path: `blocks?limit=${BLOCKS}`, show: showBlocks },
  block: { path: null, topic: "blocks", take: (reply) => { block = reply; }, show: showBlock },
  spread: { path: null, take: (reply) => { apart = reply; }, show: showSpread },
  partitions: { path: `partitions?limit=${ROWS}`, show: showTrouble },
  "validity-disagreements": { path: `validity-disagreements?limit=${ROWS}`, show: showTrouble },
  forks: { path: `forks?limit=${FORKS}`, show: showForks },
  "double-spends": { path: `double-spends?limit=${ROWS}`, show: showForks },
  "stale-blocks": { path: `stale-blocks?limit=${ROWS}`, show: showStale },
  reorgs: { path: `reorgs?limit=${ROWS}`, show: showReorgs },
  rejections: { path: `rejections?limit=${ROWS}`, show: showRejections },
  "invalid-blocks": { path: `invalid-blocks?limit=${ROWS}`, show: showInvalid },
  gaps: { path: `gaps?limit=${ROWS}`, show: showGaps },
};

/** Asks for a list, soon; what is asked for while a request runs is asked once more after it. */
function ask(list) {
  if (list.path == null) return;
  list.wanted = true;
  if (list.busy) return;
  list.busy = true;
  load(list).finally(() => setTimeout(() => {
    list.busy = false;
    if (list.wanted) ask(list);
  }, PACE_MS));
}

async function load(list) {
  const { path } = list;
  list.wanted = false;
  if (path == null) return;
  try {
    const response = await fetch(`api/v1/${path}`, { signal: AbortSignal.timeout(10_000) });
    const reply = await response.json();
    // What is asked for by name may not be there; lists always are.
    if (!response.ok && !(list.take != null && response.status < 500)) throw new Error(`the server answered ${response.status}`);
    if (path !== list.path) return;
    if (list.take != null) list.take(reply);
    else for (const key of Object.keys(reply)) if (key in data) data[list.field ?? key] = reply[key];
    if (reply.now_us != null) aheadUs = reply.now_us - Date.now() * 1_000;
    updatedAt = Date.now();
    list.show();
    tick();
  } catch (error) {
    console.warn(`failed to get ${path}:`, error);
    show("lost");
  }
}

function show(state) {
  const connection = byId("connection");
  if (connection.dataset.state === state) return;
  connection.dataset.state = state;
  byId("state").textContent = { live: "live", wait: "reconnecting", lost: "no answer" }[state];
}

function tick() {
  view.tick(nowUs());
  byId("updated").textContent = updatedAt == null ? "never" : `${age((Date.now() - updatedAt) * 1_000)} ago`;
}

const ofNetwork = (items) => items.filter((item) => chosen == null || item.network === chosen);
const byFinding = (item) => item.id;

function showNodes() {
  const networks = [...new Set(data.nodes.map((node) => node.network))];
  showNetworks(networks);
  const heights = ofNetwork(data.nodes).map((node) => node.height ?? 0);
  const best = Math.max(0, ...heights);
  view.fill(body("nodes"), ofNetwork(data.nodes), (node) => `${node.network} ${node.node}`,
    (node) => view.nodeRows(node, nowUs(), best), "No node has been heard yet: start an agent.");
  showBlocks();
}

/** Asks how far apart nodes saw what is chosen, if that is something else than before. */
function followChoice() {
  const network = chosen == null ? "" : `&network=${encodeURIComponent(chosen)}`;
  const path = `spread?of=${apartOf}&since=24h${network}`;
  if (path === lists.spread.path) return;
  lists.spread.path = path;
  byId("spread-json").href = `api/v1/${path}`;
  for (const button of byId("spread-of").children) button.setAttribute("aria-pressed", String(button.dataset.of === apartOf));
  ask(lists.spread);
}

function showSpread() {
  const known = apart?.error == null ? apart : null;
  const rows = [...(known?.nodes ?? []), ...(known?.reach ?? [])].map((row) => ({ row, items: known.items }));
  view.fill(body("spread"), rows, ({ row }) => row.node ?? String(row.nodes),
    ({ row, items }) => [row.node == null ? spread.reachRow(row, items) : spread.nodeRow(row, items)],
    "Nothing has been seen in this time.");
}

/** Nodes of different networks are never compared: with several, one is shown at a time. */
function showNetworks(networks) {
  if (networks.length > 1 && !networks.includes(chosen)) chosen = networks[0];
  if (networks.length <= 1) chosen = null;
  byId("network").textContent = networks.length === 1 ? networks[0] : "";
  const group = byId("networks");
  group.hidden = networks.length <= 1;
  if (group.childElementCount !== networks.length) {
    group.replaceChildren(...networks.map((network) => view.element("button", { type: "button", data: { network } }, network)));
  }
  for (const button of group.children) button.setAttribute("aria-pressed", String(button.dataset.network === chosen));
  followChoice();
}

function showBlocks() {
  const blocks = ofNetwork(data.blocks);
  const names = ofNetwork(data.nodes).map((node) => node.node);
  const head = byId("blocks").tHead.rows[0];
  const shown = [...head.cells].slice(BLOCK_COLUMNS).map((cell) => cell.textContent);
  if (shown.join() !== names.join()) {
    while (head.cells.length > BLOCK_COLUMNS) head.lastElementChild.remove();
    head.append(...names.map((name) => view.element("th", { scope: "col", className: "node" }, name)));
    body("blocks").rowsOfKey = new Map();
  }
  const left = new Set(data.reorgs.flatMap((reorg) => reorg.old));
  view.fill(body("blocks"), blocks.map((block) => ({ ...block, left: left.has(block.block) })), (block) => block.block,
    (block) => [view.blockRow(block, names)], "No block has been seen yet.");
  announce(blocks[0]);
}

/** The block that the end of the page's address names: `#block=` and a hash or a height. */
function followAddress() {
  const named = /^#block=([0-9a-f]+)$/i.exec(location.hash)?.[1];
  const path = named == null ? null : `blocks/${named}`;
  if (path === lists.block.path) return;
  lists.block.path = path;
  block = null;
  showBlock();
  ask(lists.block);
}

function showBlock() {
  const section = byId("block");
  const appears = section.hidden && block != null;
  section.hidden = block == null;
  if (block == null) return;
  const known = block.error == null;
  const text = JSON.stringify(block);
  if (shownBlock !== text) {
    shownBlock = text;
    byId("block-title").replaceChildren(...(known ? waterfall.title(block) : ["Block"]));
    byId("block-about").replaceChildren(...(known ? waterfall.about(block) : [block.error]));
    byId("block-json").href = `api/v1/${lists.block.path}`;
    byId("scales").textContent = known ? waterfall.scales(block) : "";
    const table = byId("waterfall");
    while (table.tBodies.length > 0) table.tBodies[0].remove();
    table.append(...(known ? waterfall.bodies(block) : []));
  }
  if (appears) section.scrollIntoView({ block: "nearest" });
}

function announce(block) {
  if (block == null || block.block === newestBlock) return;
  if (newestBlock != null) byId("announcer").textContent = `New block ${block.height ?? ""}`;
  newestBlock = block.block;
}

/** What is open stands on top, of every network: an alert is not to be missed. */
function showAlerts() {
  const open = data.open_alerts.map((alert) => ({ ...alert, named: chosen != null })).sort(alerts.byLoudness);
  view.fill(byId("open-alerts"), open, byFinding, (item) => [alerts.alertItem(item)], "");
  const section = byId("open-alerts").parentElement;
  section.hidden = open.length === 0;
  section.dataset.loudest = alerts.loudest(open) ?? "none";
  const firing = open.filter((alert) => alert.state === "firing" && alert.silenced_by == null);
  const fresh = firing.find((alert) => !told.has(alert.id));
  if (fresh != null) byId("announcer").textContent = `Alert, ${fresh.severity}: ${fresh.summary}`;
  told = new Set(firing.map((alert) => alert.id));
  showNamedAlert();
}

function showPastAlerts() {
  const past = ofNetwork(data.alerts).filter((alert) => alert.state === "resolved").slice(0, ROWS);
  view.fill(body("past-alerts"), past, byFinding, (item) => [alerts.pastRow(item)], "No alert has come and gone.");
  showNamedAlert();
}

/** The alert that the end of the page's address names, `#alert=` and its id: brought into view once, and marked. */
function showNamedAlert() {
  const named = /^#alert=([0-9a-f]{32})$/.exec(location.hash)?.[1];
  const element = named == null ? null : byId(`alert-${named}`);
  for (const other of document.querySelectorAll(".named")) other.classList.toggle("named", other === element);
  if (element == null) return;
  element.classList.add("named");
  if (namedAlert !== named) element.scrollIntoView({ block: "nearest" });
  namedAlert = named;
}

/** What is wrong now stands on top; without it the section is not there. */
function showTrouble() {
  const parted = ofNetwork(data.partitions).filter((item) => item.healed_at == null);
  const disputed = ofNetwork(data.validity_disagreements).filter((item) => item.is_open);
  view.fill(byId("trouble"), [...parted, ...disputed], byFinding,
    (item) => ["sides" in item ? chain.partitionItem(item) : chain.disagreementItem(item)], "");
  const section = byId("trouble").parentElement;
  const agreed = parted.length + disputed.length === 0;
  if (section.hidden && !agreed) byId("announcer").textContent = "Nodes do not agree";
  section.hidden = agreed;
}

function showForks() {
  const spends = new Map(ofNetwork(data.double_spends).map((item) => [`${item.network} ${item.fork}`, item]));
  const forks = ofNetwork(data.forks).map((fork) => ({ ...fork, spends: spends.get(`${fork.network} ${fork.fork}`) }));
  view.fill(byId("forks"), forks, byFinding, (item) => [chain.forkItem(item)], "The chain has not forked.");
}

function showStale() {
  view.fill(body("stale-blocks"), ofNetwork(data.stale_blocks), byFinding, (item) => [chain.staleRow(item)],
    "No block has been left behind.");
  const query = chosen == null ? "" : `?network=${encodeURIComponent(chosen)}`;
  for (const link of document.querySelectorAll("a[data-file]")) link.href = `api/v1/${link.dataset.file}${query}`;
}

function showReorgs() {
  view.fill(body("reorgs"), ofNetwork(data.reorgs), byFinding, (item) => [view.reorgRow(item)], "No reorg has been seen.");
  showBlocks();
}

function showRejections() {
  view.fill(body("rejections"), ofNetwork(data.rejections), byFinding, (item) => [view.rejectionRow(item)],
    "No refused transaction has been seen.");
}

function showInvalid() {
  view.fill(body("invalid-blocks"), ofNetwork(data.invalid_blocks), byFinding, (item) => [view.invalidRow(item)],
    "No node has found a block invalid.");
}

function showGaps() {
  view.fill(body("gaps"), ofNetwork(data.gaps), byFinding, (item) => [view.gapRow(item)], "Nothing is known to be missing.");
}

async function copy(button) {
  const { hash } = button.dataset;
  try {
    await navigator.clipboard.writeText(hash);
  } catch {
    // Browsers offer the clipboard on secure origins only; elsewhere the old way has to do.
    const text = view.element("textarea", { value: hash, className: "unseen" });
    document.body.append(text);
    text.select();
    document.execCommand("copy");
    text.remove();
    button.focus();
  }
  button.classList.add("copied");
  byId("announcer").textContent = "Copied";
  setTimeout(() => button.classList.remove("copied"), 1_200);
}

byId("networks").addEventListener("click", (event) => {
  chosen = event.target.dataset.network ?? chosen;
  Object.values(lists).forEach((list) => list.show());
  followChoice();
  tick();
});
byId("spread-of").addEventListener("click", (event) => {
  apartOf = event.target.dataset.of ?? apartOf;
  followChoice();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest(".hash");
  if (button != null) copy(button);
});
fetch("api/v1/status").then((response) => response.json()).then((status) => {
  byId("version").textContent = `bmon ${status.version}`;
}).catch(() => {});
addEventListener("hashchange", followAddress);
followAddress();
setInterval(tick, 1_000);
setInterval(() => ask(lists.spread), SPREAD_PACE_MS);
follow("api/v1/stream", (topics) => Object.entries(lists)
  .filter(([name, { topic }]) => topics?.includes(topic ?? name) ?? true)
  .forEach(([, list]) => ask(list)), show);
