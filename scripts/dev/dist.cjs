'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { runChild } = require('./child.cjs');
const { withLock } = require('./lock.cjs');

const SOURCES = [
  'src',
  'scripts/build.ts',
  'scripts/notices.ts',
  'package.json',
  'package-lock.json',
];

/** Builds dist unless it is newer than all that it is made of. */
async function ensureDist(root, node, env) {
  if (isFresh(root)) return;
  await withLock(root, async () => {
    if (isFresh(root)) return;
    const { code, output } = await runChild(node, ['scripts/build.ts'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (code !== 0) throw new Error(`${output}\nThe build failed.`);
  });
}

function isFresh(root) {
  // The build gives this file the time at which it started.
  const dist = fs.statSync(path.join(root, 'dist', 'cli.cjs'), { throwIfNoEntry: false });
  return (
    dist !== undefined && SOURCES.every((source) => newest(path.join(root, source)) < dist.mtimeMs)
  );
}

/** When a file, or anything in a folder, was last changed; removing a file changes its folder. */
function newest(place) {
  const stat = fs.statSync(place);
  const inside = stat.isDirectory()
    ? fs.readdirSync(place).map((name) => newest(path.join(place, name)))
    : [];
  return Math.max(stat.mtimeMs, ...inside);
}

module.exports = { ensureDist };
