'use strict';
// Runs a script of this repository, from a fresh clone too: node scripts/dev.cjs [--build] SCRIPT [ARGUMENT...]
//
// This file and those in dev/ run on the Node of the machine, which may be older than what everything else needs, and before
// anything is installed. They make sure of the dependencies, of the Node among them, and with --build of dist; then that Node
// runs the script.
const path = require('node:path');
const { runChild, endLike } = require('./dev/child.cjs');
const { ensureDependencies } = require('./dev/dependencies.cjs');
const { ensureDist } = require('./dev/dist.cjs');
const { ensureNode } = require('./dev/node.cjs');

const root = path.resolve(__dirname, '..');

async function main(given) {
  const build = given[0] === '--build';
  const [script, ...args] = build ? given.slice(1) : given;
  if (script === undefined)
    throw new Error('Usage: node scripts/dev.cjs [--build] SCRIPT [ARGUMENT...]');

  await ensureDependencies(root);
  const node = ensureNode(root);
  const searched = [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env.PATH];
  const env = { ...process.env, PATH: searched.join(path.delimiter) };
  if (build) await ensureDist(root, node, env);

  endLike(await runChild(node, [path.resolve(root, script), ...args], { stdio: 'inherit', env }));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
