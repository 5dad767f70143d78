import { setTimeout as sleep } from 'node:timers/promises';
import { command } from '../core/command-line.ts';
import { few } from '../core/counts.ts';
import { advice, partial } from '../core/next-step.ts';
import { failed, type Verdict } from '../core/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { describeObject } from '../ocm/object-ref.ts';
import { asksForStatus, type Binding, objectsOf } from '../ocm/policies.ts';
import { flagsOf, type OpenWds, toSeeManager } from '../spaces/open-wds.ts';

/** How far a transport may be behind, in generations, before it is looked at again, and after how long. */
const unreadGenerations = 5;
const lookAgainMs = 3000;

/** Bindings that have gone on growing while their transport has read nothing: it was observed to begin anew with every change. */
export async function outrunBindings(kube: Kube, bindings: readonly Binding[]): Promise<Set<string>> {
  const read = ({ status }: Binding) => status?.observedGeneration ?? 0;
  const behind = bindings.filter((each) => (each.metadata.generation ?? 0) - read(each) >= unreadGenerations);
  if (behind.length === 0) return new Set();
  await sleep(lookAgainMs);
  const all = (await kube.list<Binding>(resources.bindings)) ?? [];
  const later = new Map(all.map((each) => [each.metadata.name, each]));
  const isOutrun = (each: Binding) => {
    const now = later.get(each.metadata.name);
    return (
      now !== undefined && (now.metadata.generation ?? 0) > (each.metadata.generation ?? 0) && read(now) === read(each)
    );
  };
  return new Set(behind.filter(isOutrun).map(({ metadata }) => metadata.name));
}

/** On a hosting cluster, the controller of an object writes its status, and KubeStellar that of the WECs, for ever in turn. */
export function outrun(
  binding: Binding,
  wds: Pick<OpenWds, 'name' | 'type' | 'beside' | 'isContext' | 'hosting'>,
): Verdict {
  const { metadata, status } = binding;
  const objects = wds.type === 'host' ? objectsOf(binding).filter(asksForStatus) : [];
  const named = few(objects.map((each) => describeObject({ kind: each.resource, metadata: each }))).join(', ');
  const cause =
    named === '' ? '' : `: KubeStellar and ${wds.name}'s own controllers write the status of ${named} in turn`;
  const why = `the transport has read generation ${status?.observedGeneration ?? 0} of the Binding of ${metadata.name}, which changes all the time and is at ${metadata.generation}${cause}`;
  const apply = command`stellarctl policy apply -f FILE ${flagsOf(wds)}`;
  const next =
    named === ''
      ? toSeeManager(wds)
      : [
          partial(apply, 'Apply the policy without the status that it asks for'),
          advice('Then remove the labels managed-by.kubestellar.io/… of these objects, which KubeStellar leaves'),
        ];
  return failed(why, { code: 'transport-behind', next });
}
