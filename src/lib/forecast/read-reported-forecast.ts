import { resources } from '../kube/client/objects.ts';
import { discoverKinds } from '../kube/discovery.ts';
import { listServed } from '../kube/served.ts';
import { type Binding, destinationsOf, objectsOf } from '../ocm/model/kubestellar-names.ts';
import { senderOf } from '../ocm/sender.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { requireIts } from '../workloads/selection/unseen.ts';
import { kindNames } from '../workloads/selection/wds-contents.ts';
import type { TransformChange } from './change.ts';
import { type Forecast, forecast } from './forecast.ts';
import { emptyWorld, noForecast, readMailboxes } from './read-forecast.ts';
import { othersIn, stateOf } from './read-policy-forecast.ts';
import { boundView } from './world.ts';

/**
 * Says what the creation of a StatusCollector does: Bindings may name it already. The mailboxes of the WECs that they send to are read,
 * since other WDSes may send namesakes there.
 * @throws StellarError what hides the ITS, if a Binding names the collector
 */
export async function readCollectorForecast(name: string, wds: Wds): Promise<Forecast> {
  const bindings = await listServed<Binding>(wds.kube, resources.bindings);
  const naming = bindings.filter((binding) =>
    objectsOf(binding).some(({ statusCollectors }) => statusCollectors?.includes(name)),
  );
  if (naming.length === 0) return noForecast;
  const its = requireIts(wds);
  const [kinds, sender, works] = await Promise.all([
    discoverKinds(wds.kube),
    senderOf(wds, its),
    readMailboxes(its, [...new Set(naming.flatMap(destinationsOf))]),
  ]);
  const policies = [...statesOf(sender, bindings, kinds), ...othersIn(works, sender, kinds)];
  return forecast({ ...emptyWorld, policies, works }, { collectors: [{ wds: sender, name }] });
}

/** Says what the change of a CustomTransform does: works that exist stay as they are. */
export async function readTransformForecast(
  { name, group, resource }: Omit<TransformChange, 'wds'>,
  wds: Wds,
): Promise<Forecast> {
  const [bindings, kinds] = await Promise.all([
    listServed<Binding>(wds.kube, resources.bindings),
    discoverKinds(wds.kube),
  ]);
  const world = { ...emptyWorld, policies: statesOf(wds.name, bindings, kinds) };
  return forecast(world, { transforms: [{ wds: wds.name, name, group, resource }] });
}

/** The policies of a WDS by their Bindings. @param wds the name that their works carry */
const statesOf = (
  wds: string,
  bindings: readonly Binding[],
  kinds: Parameters<typeof kindNames>[0],
) => {
  const kindOf = kindNames(kinds);
  return bindings.map((binding) => ({
    ...stateOf(wds, binding.metadata.name, binding),
    bound: objectsOf(binding).map((of) => boundView(of, kindOf(of) ?? of.resource)),
  }));
};
