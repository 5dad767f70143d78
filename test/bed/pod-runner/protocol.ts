import type { PlaneInfo } from '../plane/plane.ts';

/** What the owner of a bed tells its pod runner: planes whose pods it is to run from now on. */
export interface AddPlanes {
  type: 'add-planes';
  planes: PlaneInfo[];
}
