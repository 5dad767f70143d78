'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { runChild } = require('./child.cjs');
const { withLock } = require('./lock.cjs');

/** Makes node_modules what package-lock.json says. */
async function ensureDependencies(root) {
  if (isInstalled(root)) return;
  await withLock(root, async () => {
    // Another one of us may have been installing.
    if (isInstalled(root)) return;
    process.stderr.write('Installing dependencies…\n');
    // `npm pack --dry-run` comes here through prepack, and would make this a dry run as well.
    const env = { ...process.env, npm_config_dry_run: 'false' };
    const { code, signal, output } = await runChild('npm', ['ci', '--loglevel=error'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (code !== 0)
      throw new Error(
        `${output}\nnpm ci ${signal === null ? 'failed' : `was ended by ${signal}`}.`,
      );
  });
}

/** Whether every package of package-lock.json is there in its version; optional ones depend on the machine. */
function isInstalled(root) {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  // What npm writes last when it installs.
  const installed = readPackages(path.join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([place, { version, integrity, optional }]) => {
    const found = installed[place];
    if (place === '' || (found === undefined && optional)) return true;
    return (
      found?.version === version &&
      found.integrity === integrity &&
      fs.existsSync(path.join(root, place))
    );
  });
}

function readPackages(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).packages : {};
}

module.exports = { ensureDependencies };
