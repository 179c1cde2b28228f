// Reads queries from stdin, one JSON text a line, and prints for each what the parser cannot read of it, or an empty text.
import { createInterface } from "node:readline";
import { parser } from "@grafana/lezer-logql";

for await (const line of createInterface({ input: process.stdin })) {
  const query = JSON.parse(line);
  const faults = [];
  // The parser goes on after an error, and leaves a node that says so.
  parser.parse(query).iterate({
    enter: (node) => {
      if (node.type.isError) faults.push(`at ${node.from}: ${query.slice(node.from, node.from + 40)}`);
    },
  });
  console.log(JSON.stringify(faults.join("; ")));
}
