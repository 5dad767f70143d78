import type { Bed } from '../bed.ts';
import { Scene } from './scene.ts';

/** Undoes a fault: as before, or as if the cluster had never been registered. */
type Undo = () => Promise<void>;

/** A fault as a cause, which may have several symptoms. */
export interface FaultRow {
  /** Named by the cause. */
  id: string;
  /** The cause, in a sentence. */
  cause: string;
  /** Whether other clusters of the hub are affected as well: nothing else may run in parallel. */
  isHubs?: true;
  /** Causes it on a managed cluster of the bed, `cluster1` by default, whose hub is `its1`; resolves once the objects show it. */
  arrange(bed: Bed, wec?: string): Promise<Undo>;
}

interface RowOptions {
  isHubs?: true;
  /** Undoes the arrangement once the bed's faults are removed; by default it deletes the whole registration. */
  undo?: (scene: Scene) => Promise<void>;
}

/** A row; if it cannot be arranged, nothing of it stays. */
export function row(
  id: string,
  cause: string,
  arrange: (scene: Scene) => Promise<unknown>,
  { isHubs, undo = (scene) => scene.wipe() }: RowOptions = {},
): FaultRow {
  return {
    id,
    cause,
    ...(isHubs && { isHubs }),
    arrange: async (bed, wec = 'cluster1') => {
      const scene = new Scene(bed, wec);
      const takeBack = async () => {
        await scene.mend();
        await undo(scene);
      };
      try {
        await arrange(scene);
      } catch (error) {
        await takeBack();
        throw error;
      }
      return takeBack;
    },
  };
}
