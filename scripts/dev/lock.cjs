'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const PATIENCE_MS = 15 * 60_000;

/** Does work that must not be done twice at once in one working copy. */
async function withLock(root, work) {
  const lock = path.join(root, '.dev-lock');
  await acquire(lock);
  try {
    await work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

async function acquire(lock) {
  // A link appears with its content or not at all, so that nobody reads a lock without its owner.
  const own = `${lock}-${process.pid}`;
  fs.writeFileSync(own, `${process.pid}\n`);
  try {
    const since = Date.now();
    while (!link(own, lock)) {
      const owner = ownerOf(lock);
      if (owner !== undefined && !isRunning(owner)) fs.rmSync(lock, { force: true });
      else if (Date.now() - since > PATIENCE_MS)
        throw new Error(
          `Process ${owner} has held ${lock} for long. If it is none of this repository's, remove that file.`,
        );
      else await sleep(100);
    }
  } finally {
    fs.rmSync(own, { force: true });
  }
}

function link(from, to) {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOf(lock) {
  try {
    return Number(fs.readFileSync(lock, 'utf8'));
  } catch {
    return undefined;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

module.exports = { withLock };
