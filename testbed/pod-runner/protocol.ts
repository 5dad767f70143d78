import type { PodFault } from '../faults/fault.ts';
import type { PlaneInfo } from '../plane/plane.ts';

/** What the owner of a bed tells its pod runner, which answers with the number of the message. */
export type Message = { number: number } & (
  | { type: 'add-planes'; planes: PlaneInfo[] }
  /** Nothing runs in the pods of this plane any more. */
  | { type: 'remove-plane'; name: string }
  /** All faults that are in force from now on. */
  | { type: 'set-faults'; faults: PodFault[] }
);

export type Done = Pick<Message, 'number'>;
