import type { PodFault } from '../faults/fault.ts';
import type { PlaneInfo } from '../plane/plane.ts';

/** A message of the owner of a bed to its pod runner, which answers with the number of the message. */
export type Message = { number: number } & (
  | { type: 'add-planes'; planes: PlaneInfo[] }
  /** Stops the containers of all pods of this plane. */
  | { type: 'remove-plane'; name: string }
  /** Replaces all active faults. */
  | { type: 'set-faults'; faults: PodFault[] }
);

export type Done = Pick<Message, 'number'>;
