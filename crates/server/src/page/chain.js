// What was found of the chain, as trees, rows and warnings.

import { UNKNOWN, bitcoins, count, duration } from "./format.js";
import { ago, cell, element, hash, small, when } from "./view.js";

const STATUS = { active: "on its chain", valid: "valid", "header-only": "header only", invalid: "invalid", unknown: UNKNOWN };

const names = (nodes) => nodes.join(", ");
const many = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;
const blocks = (number) => many(number, "block");
const tag = (kind, text, title) => element("span", { className: `tag ${kind}`, title }, text);

/** A block of a tree. */
function box(height, block, kind = "", pool = null) {
  return element("span", { className: `box ${kind}` }, element("b", {}, count(height)), hash(block, "block"),
    pool == null ? null : element("span", { className: "small pool", title: `Mined by ${pool}` }, pool));
}

/** A fork as a tree: the last common block, and the branches in the order in which they were seen. */
export function forkItem(fork) {
  const title = element("p", { className: "title" },
    fork.is_race ? tag("warn", "race", "The next block decides") : null,
    element("b", {}, `${fork.is_race ? "Race" : "Fork"} after block ${count(fork.fork_height)}`), " ",
    small([ago(fork.at_us, fork.at), " ago"]), outcome(fork));
  const branches = element("ul", { className: "branches" }, fork.branches.map((branch) => branchItem(fork, branch)));
  return element("li", { className: "fork" }, title,
    element("div", { className: "tree" }, box(fork.fork_height, fork.fork, "root"), branches),
    fork.spends == null ? null : element("p", { className: "spends" }, spendsOf(fork.spends)));
}

/** What the branches of a fork confirmed differently. */
function spendsOf({ double_spends: spends, double_spent_sat: sat, fee_bumps: bumps, only_here: only, missing }) {
  const parts = [spends > 0 ? [element("b", { className: "bad" }, many(spends, "double spend")), ` of ${bitcoins(sat)} in all`]
    : missing.length > 0 ? ["no double spend yet"] : ["no double spend"]];
  if (bumps > 0) parts.push([many(bumps, "fee bump")]);
  if (only > 0) parts.push([`${many(only, "transaction")} in no other branch`]);
  if (missing.length > 0) parts.push([`${blocks(missing.length)} not read yet`]);
  return parts.flatMap((part, place) => [place > 0 ? ", " : "", ...part]);
}

function outcome(fork) {
  if (fork.decided_at == null) return fork.is_race ? small(" · open") : null;
  // How long two branches stood beside each other; one that was told of later stood beside none.
  const lasted = fork.decided_at_us - Math.max(...fork.branches.slice(0, 2).map((branch) => branch.seen_at_us));
  return lasted > 0 ? small(` · decided after ${duration(lasted)}`) : null;
}

function branchItem(fork, branch) {
  const kind = kindOf(fork, branch);
  const shown = branch.blocks.map((block, place) => box(fork.fork_height + 1 + place, block, kind, branch.miners[place]));
  const more = branch.length - branch.blocks.length;
  if (more > 0) shown.push(element("span", { className: "box more" }, `+ ${blocks(more)}`));
  return element("li", { className: `branch ${kind}` },
    element("span", { className: "chain" }, shown, tagOf(kind)),
    element("span", { className: "who" }, who(branch).map((part) => element("span", { className: "item" }, part))));
}

function kindOf(fork, branch) {
  if (fork.winner != null && branch.blocks[0] === fork.winner) return "won";
  const accepted = branch.active_at.length + branch.valid_at.length > 0;
  if (branch.invalid_at.length > 0 && !accepted) return "invalid";
  if (!accepted) return "headers";
  if (fork.is_race) return "racing";
  return branch.active_at.length > 0 ? "kept" : "lost";
}

function tagOf(kind) {
  return {
    won: tag("good", "won"),
    invalid: tag("bad", "invalid"),
    headers: tag("", "header only", "No node told that it has the block itself"),
    racing: tag("warn", "racing"),
    kept: tag("warn", "still followed", "It has less work, or work that cannot be compared, and nodes follow it"),
    lost: tag("", "lost"),
  }[kind];
}

function who(branch) {
  const parts = [
    [branch.active_at, branch.active_at.length === 1 ? "follows" : "follow"],
    [branch.valid_at, "found it valid"],
    [branch.invalid_at, "found it invalid"],
    [branch.header_only_at, branch.header_only_at.length === 1 ? "has the header" : "have the header"],
  ];
  return parts.filter(([nodes]) => nodes.length > 0).map(([nodes, words]) => [element("b", {}, names(nodes)), ` ${words}`]);
}

export function staleRow(stale) {
  const nodes = stale.nodes.map((of) => element("span", { className: "item" }, `${of.node}: ${STATUS[of.status] ?? of.status}`));
  const word = stale.is_stale ? tag(stale.is_invalid ? "bad" : "warn", stale.is_invalid ? "invalid" : "stale") : tag("good", "back");
  return element("tr", {},
    when(stale.at_us, stale.at),
    element("th", { scope: "row", className: "number" }, count(stale.height)),
    cell("", hash(stale.block, "block"), word),
    cell("pool", stale.miner ?? UNKNOWN),
    cell("", hash(stale.replaced_by, "block")),
    cell("wrap", nodes),
  );
}

/** A partition that is not over. */
export function partitionItem(partition) {
  const side = (side) => element("li", {},
    element("b", {}, side.nodes.length > 0 ? names(side.nodes) : "no node"), ` · ${blocks(side.length)}`,
    partition.most_work === side.first ? " · most work" : "",
    side.proof_of_work === "sha256d" ? "" : ` · proof of work ${side.proof_of_work ?? "mixed"}`, " · up to ", hash(side.tip, "block"));
  return element("li", {},
    element("b", {}, `Nodes follow different chains since block ${count(partition.fork_height)}`), " ",
    small([ago(partition.at_us, partition.at), " ago"]),
    element("ul", {}, partition.sides.map(side)));
}

/** A disagreement that is not over. */
export function disagreementItem(found) {
  const refusal = ({ node, reason }) => [element("b", {}, node), reason == null ? "" : ` (${reason})`];
  const refusals = found.invalid_at.flatMap((verdict, place) => [place > 0 ? ", " : "", ...refusal(verdict)]);
  return element("li", {},
    element("b", {}, `Nodes disagree on block ${count(found.height)}`), " ", hash(found.block, "block"), " ",
    small([ago(found.at_us, found.at), " ago"]),
    element("ul", {},
      element("li", {}, "invalid: ", refusals),
      element("li", {}, "valid: ", element("b", {}, names(found.valid_at)))));
}
