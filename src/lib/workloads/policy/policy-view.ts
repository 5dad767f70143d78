import { ifSeen, tryRead } from '../../kube/access.ts';
import { byName } from '../../kube/client/objects.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { conflictsOf, sentBy } from '../delivery/conflicts.ts';
import { deliveriesIn, judgeObjects } from '../delivery/judged-objects.ts';
import { problemView } from '../delivery/selection-warnings.ts';
import { viewOfUnseen } from '../selection/unseen.ts';
import { noSuchPolicy } from './explain.ts';
import { policySummary } from './policy-list.ts';

/** What a policy sends, and how far its delivery is. The fields are an interface: docs/output.md. */
export type PolicyView = Awaited<ReturnType<typeof getPolicyView>>['view'];

/** @param isOnce whether conflicts are looked for, which a wait does not ask again @throws StellarError `not-found` */
export async function getPolicyView(name: string, wds: Wds, isOnce = false) {
  const { evidence, objects, unseen, errors, kindOf } = await judgeObjects(wds, name);
  const policy = byName(evidence.policies).get(name);
  const binding = evidence.bindings.get(name);
  const isDeleted = ifSeen(evidence.works)?.places.has(name);
  if (policy === undefined && binding === undefined && !isDeleted)
    throw await noSuchPolicy(name, wds);
  const { metadata = { generation: 0 }, status = {} } = binding ?? {};
  const { wecs, state, why, since, code } = policySummary(
    name,
    policy,
    evidence,
    deliveriesIn(objects),
  );
  const sent = binding === undefined || !isOnce ? [] : sentBy(binding, kindOf);
  const conflicts = await tryRead(() =>
    conflictsOf(wds, [{ policy: name, wecs, objects: sent }], [...evidence.bindings.values()]),
  );
  const view = {
    name,
    wds: wds.name,
    its: ifSeen(wds.its)?.name ?? null,
    wecs,
    state,
    why,
    since,
    code,
    /** The generation of its Binding, and the one that the transport has observed; null if there is no Binding. */
    binding: binding
      ? { generation: metadata.generation ?? 0, observed: status.observedGeneration ?? 0 }
      : null,
    errors: (policy ?? binding)?.status?.errors ?? [],
    objects,
    /** Conflicts with other policies and WDSes. */
    problems: (ifSeen(conflicts) ?? []).map(problemView),
    notVisible: unseen.map(viewOfUnseen),
  };
  return { view, errors };
}
