import { isDeepStrictEqual } from 'node:util';
import { Deadline } from '../../engine/deadline.ts';
import { failureOf } from '../../engine/errors.ts';
import { poll } from '../../engine/poll.ts';
import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { conditionOf } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { klusterletName } from '../names.ts';
import type { Klusterlet } from '../objects.ts';
import { hubConnectionType } from '../registration/hub-connection.ts';

/** Any change of a Klusterlet makes its operator look at the hub at once; by itself it looks every five minutes. */
const askedAnnotation = 'stellarctl.kubestellar.io/asked-at';

/** Has the operator of this very Klusterlet look at its hub again. */
export async function askOperator(kube: Kube, { metadata: { uid } }: Klusterlet): Promise<void> {
  const annotations = { [askedAnnotation]: new Date(kube.now()).toISOString() };
  await kube.merge(resources.klusterlets, klusterletName, { metadata: { uid, annotations } });
}

/** How long an operator is given to answer; it may take longer (seen with OCM 1.3.1: 9.5 s). Milliseconds. */
const answerMs = 10_000;

/**
 * What came of asking an operator to look again. `changed`: it says something else now. `unconfirmed`: it has written nothing, since it
 * writes only what is new, or does not work; what it said last may be so or not. `unasked`: it could not be asked.
 */
export type Recheck = { answer: 'changed' | 'unconfirmed' } | { answer: 'unasked'; why: string };

/** Has a WEC's operator look at its hub again, and waits for what it says, at most 10 s. Never removes a condition. */
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
  await askOperator(kube, before);
  const said = conditionOf(before, hubConnectionType);
  const look = async () => !isDeepStrictEqual(conditionOf(await read(), hubConnectionType), said) || undefined;
  const deadline = new Deadline(Math.min(answerMs, run.deadline.remaining));
  const isNew = await poll(look, { ...run, deadline });
  return { answer: isNew ? 'changed' : 'unconfirmed' };
}
