import type { Engine } from '../../testbed/engine/index.ts';
import type { Shell } from './shell.ts';

/** What the stages of a run share. */
export interface Run {
  engine: Engine;
  shell: Shell;
}
