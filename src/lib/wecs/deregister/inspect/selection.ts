import { command } from '../../../engine/command-line.ts';
import { StellarError } from '../../../engine/errors.ts';
import { run } from '../../../engine/next-step.ts';
import type { Kube } from '../../../kube/client/client.ts';
import { describePolicy, objectsOf, type PoliciesOfIts, type Policy } from '../../../model/policies.ts';
import { effectOfRemoval, type LabelEffect } from '../../../workloads/policies/selectors.ts';
import { savedLabels, selectableLabels } from '../release/labels.ts';
import { type HubState, toDeregister } from './hub-state.ts';

/** What an ITS has of a WEC, and the policies that may select it. */
interface SelectedWec {
  name: string;
  hubState: HubState;
  policies: PoliciesOfIts;
}

/** The effect of removing a WEC's labels on policies. */
function effectOf({ name, hubState: { managedCluster }, policies: { policies } }: SelectedWec): LabelEffect {
  if (managedCluster === undefined) return { released: [], starting: [], staying: [] };
  const present = managedCluster.metadata.labels ?? {};
  const removed = selectableLabels(managedCluster);
  const kept = Object.fromEntries(Object.entries(present).filter(([key]) => removed[key] === undefined));
  return effectOfRemoval(policies, name, { ...savedLabels(managedCluster), ...present }, kept);
}

/** A policy whose objects are not known yet may have some. */
const sendsObjects = ({ binding }: Policy): boolean => binding === undefined || objectsOf(binding).length > 0;

/**
 * Whether the labels must be removed before the WEC is deleted. If workloads stay, always: a WDS that cannot be read may be about
 * to send works again, as after an interrupted run, and their deletion would delete the workloads.
 */
export function needsRelease(inspected: SelectedWec, keepWorkloads = false): boolean {
  const { hubState } = inspected;
  const isKept = keepWorkloads && hubState.managedCluster?.metadata.deletionTimestamp === undefined;
  return isKept || hubState.works.length > 0 || effectOf(inspected).released.some(sendsObjects);
}

/**
 * Refuses a WEC that policies would select without its labels too: KubeStellar would recreate its works as long as it is being
 * deleted.
 * @throws StellarError `still-selected`
 */
export function refuseSelected(hub: Kube, inspected: SelectedWec, keepWorkloads?: boolean): void {
  const { name, hubState } = inspected;
  const isReleased = needsRelease(inspected, keepWorkloads);
  if (!isReleased && hubState.managedCluster?.metadata.deletionTimestamp) return;
  const { starting, staying } = effectOf(inspected);
  const started = isReleased ? starting.filter(sendsObjects) : [];
  const [first, ...others] = [...started, ...staying.filter(sendsObjects)];
  if (first === undefined) return;
  const why = started.includes(first)
    ? 'starts to select it when its labels are removed'
    : first.orphaned
      ? 'has lost its BindingPolicy, and its Binding still names it'
      : 'selects it whatever its labels are';
  throw new StellarError(
    'still-selected',
    `${name} cannot be released: binding policy ${describePolicy(first)} ${why}. Nothing was written.`,
    {
      details: others.map((policy) => `Also: ${describePolicy(policy)}`),
      next: [run(editCommand(first), 'Change the policy'), run(toDeregister(hub, name), 'Then')],
    },
  );
}

function editCommand({ name, wds, context, orphaned }: Policy): string {
  const at = context ?? wds;
  return orphaned
    ? command`kubectl --context ${at} delete bindings.control.kubestellar.io ${name}`
    : command`kubectl --context ${at} edit bindingpolicy ${name}`;
}
