#!/usr/bin/env node
// This file must parse on any Node, so that an old one gets a line that a person understands.
'use strict';
var version = process.versions.node.split('.').map(Number);
if (version[0] < 22 || (version[0] === 22 && version[1] < 19)) {
  process.stderr.write(
    'stellarctl needs Node 22.19 or newer; this is Node ' + process.versions.node + '.\n',
  );
  process.exitCode = 1;
} else {
  require('./compile-cache.cjs')();
  require('../dist/cli.cjs').main(process.argv);
}
