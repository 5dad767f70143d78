import type { Helm, Upgrade } from '../../programs/helm/helm.ts';

/** helm at work, beside whatever else is done. */
export interface HelmWork {
  isDone: boolean;
  /** Why it has failed; undefined while it has not. */
  failure: unknown;
  /** Never rejects. */
  ended: Promise<void>;
}

/** Lets helm begin. */
export function startHelm(helm: Helm, upgrade: Upgrade): HelmWork {
  const work: HelmWork = { isDone: false, failure: undefined, ended: Promise.resolve() };
  work.ended = helm.upgrade(upgrade).then(
    () => {
      work.isDone = true;
    },
    (error: unknown) => {
      work.failure = error;
    },
  );
  return work;
}
