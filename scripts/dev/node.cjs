'use strict';
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const OLDEST = [22, 19];

/** The Node that comes with the dependencies: its package brings it by an install script, which npm may have been told not to run. */
function ensureNode(root) {
  const node = path.join(root, 'node_modules', 'node', 'bin', 'node');
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  const [major, minor] = (stdout ?? '').replace(/^v/, '').split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return node;
  throw new Error(
    'The scripts of this repository run on the Node that its development dependency "node" brings, but the install script of that package was not allowed to run. Allow it with: npm rebuild node --ignore-scripts=false',
  );
}

module.exports = { ensureNode };
