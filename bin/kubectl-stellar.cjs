#!/usr/bin/env node
// kubectl finds its plugins by name: `kubectl stellar …` runs this.
'use strict';
require('./stellarctl.cjs');
