import type { ItsChoice } from '../spaces/its-choice.ts';
import type { SpaceTools } from '../spaces/tools.ts';
import type { PartClients } from './parts.ts';

/** What looking at an installation takes. */
export interface StatusTools extends Omit<SpaceTools, 'connect' | 'target'> {
  /** Which ITS commands mean; undefined where none is meant. */
  chosen: ItsChoice | undefined;
  parts: PartClients;
}
