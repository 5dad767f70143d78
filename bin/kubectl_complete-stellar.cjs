#!/usr/bin/env node
// kubectl completes the command line of a plugin by a program of this name, which gets what stands after `kubectl stellar`.
'use strict';
// kubectl passes it on into the line that is being typed.
process.stderr.write = function () {
  return true;
};
require('./stellarctl.cjs');
