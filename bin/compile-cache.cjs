// Loaded before anything else, so that it is as short as it can be.
'use strict';
var fs = require('node:fs');
var os = require('node:os');
var path = require('node:path');

/**
 * Lets Node keep what it has compiled where only this user can write: Node runs what it finds there without a further look, and its
 * own choice is a folder in the directory for temporary files, which anybody can have made before. A NODE_COMPILE_CACHE of the
 * user's stays. Without a safe place, nothing is kept.
 */
module.exports = function enableCompileCache() {
  var directory;
  if (process.env.NODE_COMPILE_CACHE) return;
  try {
    directory = privateDirectory(path.join(cacheHome(), 'stellarctl', 'compiled'));
    if (directory !== undefined) require('node:module').enableCompileCache(directory);
  } catch (_) {
    // It only saves time.
  }
};

/** XDG Base Directory Specification: a relative path does not count. */
function cacheHome() {
  var given = process.env.XDG_CACHE_HOME;
  return given && path.isAbsolute(given) ? given : path.join(os.homedir(), '.cache');
}

/** Makes a directory. Returns undefined where another user could write to it or put another one in its place. */
function privateDirectory(directory) {
  var present = directory;
  var missing = [];
  while (!fs.existsSync(present)) {
    missing.unshift(present);
    present = path.dirname(present);
  }
  if (!isOurs(fs.realpathSync(present))) return undefined;
  // One by one: where nothing can be made, as in /proc, Node tries for ever to make them all.
  missing.forEach(function (each) {
    fs.mkdirSync(each, 448 /* 0700 */);
  });
  if (fs.lstatSync(directory).isSymbolicLink()) return undefined;
  var real = fs.realpathSync(directory);
  return fs.statSync(real).uid === process.getuid() && isOurs(real) ? real : undefined;
}

/** Whether nobody but this user and root can change a directory and those above it. What has no users (Windows) throws. */
function isOurs(directory) {
  var stats = fs.statSync(directory);
  var isSticky = (stats.mode & 512) /* 01000 */ !== 0;
  var othersWrite = (stats.mode & 18) /* 0022 */ !== 0 && !isSticky;
  if (othersWrite || (stats.uid !== process.getuid() && stats.uid !== 0)) return false;
  var parent = path.dirname(directory);
  return parent === directory || isOurs(parent);
}
