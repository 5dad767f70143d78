import type { PodFault } from '../faults/fault.ts';
import type { PlaneInfo } from '../plane/plane.ts';

/** What the owner of a bed tells its pod runner: planes whose pods it is to run from now on … */
export interface AddPlanes {
  type: 'add-planes';
  planes: PlaneInfo[];
}

/** … and all faults that are in force from now on. It answers with the number of the message. */
export interface SetFaults {
  type: 'set-faults';
  number: number;
  faults: PodFault[];
}

export type FaultsSet = Pick<SetFaults, 'number'>;
