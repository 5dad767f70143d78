import type { Bed } from '../bed.ts';
import { WecScene } from '../helpers/wec-scene.ts';

/** A fault as a cause, which may have several symptoms. */
export interface FaultRow {
  /** Named by the cause. */
  id: string;
  /** The cause, in a sentence. */
  cause: string;
  /** Whether other clusters of the hub are affected as well: nothing else may run in parallel. */
  isHubs?: true;
  /**
   * Causes it on a managed cluster of the bed, `cluster1` by default, whose hub is `its1`; resolves once the objects show it. The result
   * undoes it: as if the cluster had never been registered.
   */
  arrange(bed: Bed, wec?: string): Promise<() => Promise<void>>;
}

export const isHubs = { isHubs: true } as const;

/** A row; if it cannot be arranged, nothing of it stays. */
export function row(
  id: string,
  cause: string,
  arrange: (scene: WecScene) => Promise<unknown>,
  affects: Pick<FaultRow, 'isHubs'> = {},
): FaultRow {
  return {
    id,
    cause,
    ...affects,
    arrange: (bed, wec = 'cluster1') => arranged(new WecScene(bed, wec), arrange),
  };
}

/** Arranges a scene, which is restored if that fails. @returns what restores it */
export async function arranged<S extends { mend(): Promise<void> }>(
  scene: S,
  arrange: (scene: S) => Promise<unknown>,
): Promise<() => Promise<void>> {
  try {
    await arrange(scene);
  } catch (error) {
    await scene.mend();
    throw error;
  }
  return () => scene.mend();
}
