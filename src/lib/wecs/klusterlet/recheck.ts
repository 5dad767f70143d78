import { isDeepStrictEqual } from 'node:util';
import { Deadline } from '../../engine/deadline.ts';
import { failureOf } from '../../engine/errors.ts';
import { poll } from '../../engine/poll.ts';
import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { conditionOf } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { klusterletName } from '../../model/ocm-names.ts';
import type { Klusterlet } from '../../model/ocm-objects.ts';
import { hubConnectionType } from '../registration/hub-connection.ts';

/** Any change of a Klusterlet makes its operator check the hub at once; otherwise it checks every five minutes. */
const askedAnnotation = 'stellarctl.kubestellar.io/asked-at';

/** Makes the operator of exactly this Klusterlet check its hub again. */
export async function requestRecheck(kube: Kube, { metadata: { uid } }: Klusterlet): Promise<void> {
  const annotations = { [askedAnnotation]: new Date(kube.now()).toISOString() };
  await kube.merge(resources.klusterlets, klusterletName, { metadata: { uid, annotations } });
}

/** How long to wait for an operator's answer; it may take longer (seen with OCM 1.3.1: 9.5 s). Milliseconds. */
const answerMs = 10_000;

/**
 * The result of asking an operator to check again. `changed`: it reports something else now. `unconfirmed`: it has written nothing,
 * because it writes only what is new, or does not work; its last report may be true or not. `unasked`: it could not be asked.
 */
export type Recheck = { answer: 'changed' | 'unconfirmed' } | { answer: 'unasked'; why: string };

/** Makes a WEC's operator check its hub again, and waits for its report, at most 10 s. Never removes a condition. */
export async function recheck(kube: Kube, run: Run): Promise<Recheck> {
  try {
    return await askAndWait(kube, run);
  } catch (error) {
    return { answer: 'unasked', why: failureOf(error).why };
  }
}

async function askAndWait(kube: Kube, run: Run): Promise<Recheck> {
  const read = () => kube.get<Klusterlet>(resources.klusterlets, klusterletName);
  const before = await read();
  if (before === undefined) return { answer: 'unasked', why: `there is no Klusterlet on ${kube.cluster.context}` };
  if (kube.dryRun) return { answer: 'unasked', why: 'this is a dry run' };
  await requestRecheck(kube, before);
  const reported = conditionOf(before, hubConnectionType);
  const hasChanged = async () =>
    !isDeepStrictEqual(conditionOf(await read(), hubConnectionType), reported) || undefined;
  const deadline = new Deadline(Math.min(answerMs, run.deadline.remaining));
  const isNew = await poll(hasChanged, { ...run, deadline });
  return { answer: isNew ? 'changed' : 'unconfirmed' };
}
