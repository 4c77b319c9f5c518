// Compile the contracts beside this file with npm's solc: `node compile.mjs MODULES` writes JSON
// `{name: {abi, bytecode}}` to stdout, or what the compiler says to stderr and leaves with 1.
// MODULES is the node_modules folder that holds solc and OpenZeppelin; nothing is fetched.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const modules = process.argv[2];
const folder = join(dirname(fileURLToPath(import.meta.url)), "contracts");
const solc = createRequire(join(modules, "anchor.js"))("solc");

const names = readdirSync(folder).filter((name) => name.endsWith(".sol")).sort();
const input = {
  language: "Solidity",
  sources: Object.fromEntries(names.map((name) => [name, { content: readFileSync(join(folder, name), "utf8") }])),
  settings: {
    evmVersion: "cancun",
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const found = (path) => ({ contents: readFileSync(join(modules, path), "utf8") });
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: found }));

const errors = (output.errors ?? []).filter((error) => error.severity === "error");
if (errors.length > 0) {
  process.stderr.write(errors.map((error) => error.formattedMessage).join("\n"));
  process.exit(1);
}
const compiled = {};
for (const name of names) {
  for (const [contract, made] of Object.entries(output.contracts[name])) {
    if (made.evm.bytecode.object !== "") {
      compiled[contract] = { abi: made.abi, bytecode: `0x${made.evm.bytecode.object}` };
    }
  }
}
process.stdout.write(JSON.stringify(compiled));
