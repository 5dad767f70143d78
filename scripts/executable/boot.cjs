'use strict';
// Begins the one-file executable. Its other files are assets of it, each with what V8 has compiled of it before (code cache).
//
// To make these caches, node boot.cjs FOLDER COMMANDS runs the files of a folder: some command lines, in JSON, one after the other.
const fs = require('node:fs');
const path = require('node:path');
const { getAsset, getRawAsset, isSea } = require('node:sea');
const { Script } = require('node:vm');

const [, , folder, commands] = process.argv;
const modules = new Map();

function compile(name) {
  if (isSea()) {
    const cachedData = Buffer.from(getRawAsset(`${name}.cache`));
    return new Script(getAsset(name, 'utf8'), { filename: name, cachedData });
  }
  return new Script(fs.readFileSync(path.join(folder, name), 'utf8'), { filename: name });
}

function load(name) {
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const module = { script: compile(name), exports: {} };
  modules.set(name, module);
  const requireFrom = (id) =>
    id.startsWith('./') ? load(path.basename(id)) : process.getBuiltinModule(id);
  module.script.runInThisContext()(module.exports, requireFrom, module);
  return module.exports;
}

async function makeCaches() {
  for (const command of JSON.parse(commands))
    await load('cli.cjs').main([process.execPath, 'stellarctl', ...command]);
  for (const name of fs.readdirSync(folder)) {
    const script = modules.get(name)?.script ?? compile(name);
    fs.writeFileSync(path.join(folder, `${name}.cache`), script.createCachedData());
  }
}

if (isSea()) load('cli.cjs').main(process.argv);
else makeCaches();
