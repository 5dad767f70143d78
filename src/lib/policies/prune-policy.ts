import { forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { waitWhile } from '../core/follow.ts';
import { type Confirm, readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { count } from '../core/text/words.ts';
import { type ForeseenKube, foreseen } from '../kube/client/foreseen.ts';
import { resources } from '../kube/client/objects.ts';
import { retryConflicts } from '../kube/writes.ts';
import { type Binding, objectsOf } from '../ocm/model/kubestellar-names.ts';
import { describeObject } from '../ocm/model/object-ref.ts';
import { toSeeWds, type Wds } from '../spaces/choose/open-wds.ts';
import { worksOfPolicy } from '../spaces/choose/works-of-policy.ts';
import { pruneAnnotation } from '../spaces/guard.ts';
import { noSuchPolicy } from '../workloads/policy/explain.ts';
import { readSelected } from '../workloads/selection/policy-subject.ts';
import { clausesFor } from '../workloads/selection/wds-contents.ts';
import { agreedTo, inspectPolicy, type PolicyToDelete } from './delete-policy.ts';

/**
 * Removes from the WECs what the guard of a WDS keeps of a policy that no longer selects any object.
 * @throws StellarError before anything is written: `not-found`; `conflict` if the policy selects an object; `not-confirmed`; `api-error`
 *   if not every object of the WDS can be seen
 */
export async function prunePolicy(
  name: string,
  confirm: Confirm<PolicyToDelete>,
  wds: Wds,
  run: Run,
) {
  const found = await readConfirmed({
    read: () => readHeld(name, wds),
    effects: agreedTo,
    confirm,
  });
  const { object: binding } = found.binding;
  // Of its Binding, which the result counts.
  const objects = binding === undefined ? 0 : objectsOf(binding).length;
  const result = { name, objects, changed: false };
  return forName(result, run, async () => {
    if (binding !== undefined && objects > 0)
      await empty(binding, foreseen(wds.kube, found.effects));
    const blocker = async () => {
      const works = await worksOfPolicy(found.its, name, wds);
      return works.length === 0 ? undefined : `removing ${count(works.length, 'work')}`;
    };
    const next = toSeeWds(wds, 'Do its controllers run?');
    await waitWhile(
      blocker,
      run,
      (why) => new StellarError('timeout', `${name}: timed out ${why}.`, ...next),
      name,
    );
    const state = objects === 0 ? 'its Binding has no objects; nothing to do' : 'pruned';
    run.progress.done(name, state, true);
  });
}

/** The guard accepts this for the generation that was shown only. */
const empty = (binding: Binding, kube: ForeseenKube): Promise<unknown> =>
  retryConflicts(kube, async (isFirst) => {
    const { name, uid, generation } = binding.metadata;
    const current = isFirst ? binding : await kube.get<Binding>(resources.bindings, name);
    const { resourceVersion } = current?.metadata ?? {};
    const metadata = { uid, resourceVersion, annotations: { [pruneAnnotation]: `${generation}` } };
    await kube.merge(resources.bindings, name, { metadata, spec: { workload: null } });
  });

/** What a policy has sent, if it selects nothing. */
async function readHeld(name: string, wds: Wds): Promise<PolicyToDelete> {
  const found = await inspectPolicy(name, wds, { after: { objects: [], unread: [] } });
  const {
    policy: { object: policy },
    binding: { object: binding },
  } = found;
  if (policy === undefined) throw await noSuchPolicy(name, wds);
  const sent = clausesFor(binding === undefined ? [] : objectsOf(binding));
  const { contents, objects } = await readSelected(wds, policy.spec?.downsync ?? [], sent);
  const [hidden] = contents.unread;
  if (hidden !== undefined) throw hidden.error;
  const [selected] = objects;
  if (selected === undefined) return found;
  const message = `Policy ${name} selects objects, such as ${describeObject({ ...selected.object, ...selected.object.metadata })}: there is nothing to prune. Nothing was written.`;
  const next = toSeeWds(wds, 'If that has just changed: do its controllers run?');
  throw new StellarError('conflict', message, ...next);
}
