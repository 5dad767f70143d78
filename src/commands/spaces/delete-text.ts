import { count } from '../../lib/core/text/words.ts';
import { ifSeen, whyUnseen } from '../../lib/kube/access.ts';
import { namesOf } from '../../lib/kube/client/objects.ts';
import type { WdsToDelete } from '../../lib/maintenance/delete-wds.ts';
import { wecsOf } from '../../lib/ocm/model/manifest-works.ts';
import { adoptedAccount } from '../../lib/spaces/bootstrap.ts';
import type { ItsToDelete } from '../../lib/spaces/delete-control-plane.ts';
import { typeOf } from '../../lib/spaces/space/spaces.ts';

export type SpaceToDelete = ItsToDelete | WdsToDelete;

/** Describes what the deletion does, one line per effect. */
export function deletionOfSpaces(space: SpaceToDelete): string[] {
  const { object } = space.controlPlane;
  if (object === undefined) return [];
  const type = typeOf(object);
  return space.role === 'its' ? describeIts(space, type) : describeWds(space, type);
}

function describeIts({ name, wdses, ...its }: ItsToDelete, type: string) {
  const unseen = whyUnseen(its.wecs);
  const wecs = ifSeen(its.wecs) ?? [];
  const isOthers = type === 'host' || type === 'external';
  const effect = isOthers
    ? 'they stay registered with the cluster behind it'
    : 'their agents lose their hub';
  const lines = [
    ...(unseen === undefined ? [] : [`WECs      could not be read: ${unseen}`]),
    ...(wecs.length > 0 ? [`WECs      ${wecs.join(', ')}: ${effect}`] : []),
    ...(wdses.length > 0 ? [`WDSes     ${wdses.join(', ')}: nothing is sent from there`] : []),
  ];
  if (!isOthers) return [...lines, 'Everything in it will be lost.'];
  const account = `${adoptedAccount.namespace}/${adoptedAccount.name}`;
  return [
    ...lines,
    `The cluster behind ${name} stays, and so does OCM in it.`,
    ...(type === 'external'
      ? [`KubeFlex's ServiceAccount ${account} keeps all rights there until it is deleted.`]
      : []),
  ];
}

function describeWds(
  { name, its, policies, works, foreign, unseen, shared, keep }: WdsToDelete,
  type: string,
) {
  const effect = keep ? 'stay, and nothing manages them' : 'will be removed';
  const others = shared.length === 0 ? '' : `: those of ${shared.join(', ')} as well; they stay`;
  return [
    ...(unseen === undefined
      ? []
      : [`What it has sent could not be read${its ? '' : ', and stays on WECs'}: ${unseen}`]),
    ...(policies.length === 0
      ? []
      : [`binding policies   ${namesOf(policies).join(', ')}${others}`]),
    ...(works.length === 0
      ? []
      : [`${count(works.length, 'work')} on ${wecsOf(works)}: their workloads ${effect}.`]),
    ...(foreign.length === 0
      ? []
      : [
          `${count(foreign.length, 'work')} on ${wecsOf(foreign)}: they carry the name ${name} and come from none of its Bindings that can be read; they stay, with their workloads.`,
        ]),
    type === 'host' ? whatStays(shared) : 'Everything in it will be lost.',
  ];
}

const whatStays = (shared: readonly string[]) =>
  shared.length > 0
    ? `The hosting cluster stays as it is, for ${shared.join(', ')}.`
    : 'The hosting cluster stays as it is, without binding policies, and KubeStellar no longer watches it.';
