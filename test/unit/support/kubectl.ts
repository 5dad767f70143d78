import { spawnSync } from 'node:child_process';

/** Why tests that compare with kubectl are skipped; false if it is there. */
export const withoutKubectl =
  spawnSync('kubectl', ['version', '--client']).status === 0 ? false : 'kubectl is not on PATH';
