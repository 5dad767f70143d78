import { changeWords } from '../../lib/core/changes.ts';
import { count, few } from '../../lib/core/text/words.ts';
import { namesOf } from '../../lib/kube/client/objects.ts';
import { isGuarded, objectsIn, policiesOf } from '../../lib/ocm/model/manifest-works.ts';
import { selectableLabels } from '../../lib/ocm/model/ocm-names.ts';
import { addonFinalizers } from '../../lib/wecs/deregister/delete-cluster.ts';
import type { InspectedLocalWec } from '../../lib/wecs/deregister/deregister-locally.ts';
import type { DeregisterOptions, InspectedWec } from '../../lib/wecs/deregister/inspect-wec.ts';
import { isGone } from '../../lib/wecs/deregister/leftovers.ts';
import { withSpaces } from '../common/forecast-text.ts';

/** Formats the effect of deregistering as human-readable lines: what runs on the WEC, why, and what happens to it. */
export const describeDeregistration = (
  inspected: readonly InspectedWec[],
  its: string,
  options: DeregisterOptions,
) =>
  inspected.flatMap((wec) => [
    `${wec.name} on ${its}`,
    ...describeOne(wec, options).map((line) => `  ${line}`),
  ]);

/** Formats the effect for more WECs than a user reads one by one: each statement, with the WECs that it applies to. */
export function describeMany(
  inspected: readonly InspectedWec[],
  its: string,
  options: DeregisterOptions,
): string[] {
  const names = inspected.map(({ name }) => name);
  const lines = inspected.flatMap((wec) =>
    describeOne({ ...wec, name: 'it' }, options).map((line) => ({ line, name: wec.name })),
  );
  const ofWhich = (of: readonly string[]) =>
    of.length === names.length ? 'all' : few(of).join(', ');
  return [
    `${names.length} WECs on ${its}: ${names.join(', ')}`,
    ...[...Map.groupBy(lines, ({ line }) => line)].map(
      ([line, wecNames]) =>
        `  ${wecNames.length} × ${line}   (${ofWhich(wecNames.map(({ name }) => name))})`,
    ),
  ];
}

/** Formats the effect of deregistering if the ITS is not contacted. */
export const describeLocally = (inspected: readonly InspectedLocalWec[]) =>
  inspected.flatMap(({ name, kube, record }) => [
    `${name}, ${kube.cluster.context} (${kube.cluster.server})`,
    ...(record === undefined ? [] : ['  Its workloads keep running. Nothing changes on its ITS.']),
  ]);

function describeOne(inspected: InspectedWec, options: DeregisterOptions) {
  const { hubState, policies, agentDead, interrupted } = inspected;
  const {
    managedCluster: { object: managedCluster },
    works,
    addons,
  } = hubState;
  if (managedCluster === undefined)
    return [
      isGone(hubState) ? 'Not registered.' : 'No longer registered; its leftovers are removed.',
    ];
  const labels = changeWords({ ...interrupted, ...selectableLabels(managedCluster) });
  return [
    ...[...policiesOf(works)].map(
      ([policy, own]) =>
        `runs      ${count(own.length, 'work')} of ${policy}: ${few(own.flatMap(objectsIn), 4).join(', ')}`,
    ),
    ...(addons.length > 0 ? [`add-ons   ${namesOf(addons).join(', ')}`] : []),
    ...(labels.length > 0 ? [`labels    ${labels.join(', ')}`] : []),
    ...(agentDead === undefined ? [] : [`agent     not running: ${agentDead}`]),
    ...(interrupted === undefined
      ? []
      : ['An earlier deregistration has removed its labels and was interrupted.']),
    ...policies.unread.map(
      ({ wds, why }) => `The binding policies of ${wds} could not be read: ${why}`,
    ),
    ...(options.force ? describeForce(inspected) : []),
    workloadEffects(inspected, options),
  ];
}

/** Describes what --force does without the proof that the agent is gone. */
function describeForce({ hubState: { works, addonWorks, addons } }: InspectedWec) {
  const guardedWorks = [...works, ...addonWorks].filter(isGuarded).length;
  const guarded = namesOf(
    addons.filter(({ metadata }) =>
      metadata.finalizers?.some((finalizer) => addonFinalizers.includes(finalizer)),
    ),
  );
  const parts = [
    ...(guardedWorks > 0 ? [`manifest-work-cleanup of ${count(guardedWorks, 'work')}`] : []),
    ...(guarded.length > 0 ? [`the pre-delete finalizers of ${guarded.join(', ')}`] : []),
  ];
  return parts.length === 0
    ? []
    : [`--force   removes, after 15s without progress: ${parts.join(', ')}`];
}

function workloadEffects(
  { name, hubState, agentDead }: InspectedWec,
  { keepWorkloads, cleanup, force }: DeregisterOptions,
) {
  if (hubState.works.length === 0) return 'The ITS has sent no workloads there.';
  if (keepWorkloads) return 'Its workloads keep running.';
  if (agentDead !== undefined && force && !cleanup)
    return 'Its workloads keep running, and nothing manages them.';
  const spaces = hubState.works
    .flatMap(objectsIn)
    .filter((object) => object.startsWith('Namespace '));
  return `Its workloads will be removed from ${name}${withSpaces(spaces)}. To keep them running: --keep-workloads`;
}
