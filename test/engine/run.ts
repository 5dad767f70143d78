import type { Engine } from '../../testbed/engine/index.ts';
import type { Shell } from './shell.ts';

/** What the stages of a run share. */
export interface Run {
  engine: Engine;
  shell: Shell;
}

/** For spaces of README's hosting cluster, where its context is not the current one. */
export const hosting = '--hosting-context kind-kubeflex';
