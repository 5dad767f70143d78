import type { Kube } from './client.ts';

/** A client as a plain object: spread it and override single methods. */
export const delegate = (kube: Kube): Kube => ({
  cluster: kube.cluster,
  dryRun: kube.dryRun,
  get: kube.get.bind(kube),
  list: kube.list.bind(kube),
  read: kube.read.bind(kube),
  logTail: kube.logTail.bind(kube),
  create: kube.create.bind(kube),
  tryCreate: kube.tryCreate.bind(kube),
  apply: kube.apply.bind(kube),
  merge: kube.merge.bind(kube),
  replace: kube.replace.bind(kube),
  delete: kube.delete.bind(kube),
  mayI: kube.mayI.bind(kube),
  review: kube.review.bind(kube),
  now: kube.now.bind(kube),
  pause: kube.pause.bind(kube),
  hasBeenUnavailable: kube.hasBeenUnavailable.bind(kube),
  fork: kube.fork.bind(kube),
  close: kube.close.bind(kube),
});
