import { StellarError } from '../engine/errors.ts';
import { notHosting } from '../hosting/hosting.ts';
import { ifSeen } from '../kube/access.ts';
import type { ControlPlane } from '../spaces/objects.ts';
import { listControlPlanes, roleOf } from '../spaces/spaces.ts';
import { readHookVersions } from '../versions/hooks.ts';
import { clusterUid } from '../wecs/identity/cluster-uid.ts';
import { lookAtHosting } from './hosting.ts';
import { chosenContext, type ItsSeen, lookAtChosen, lookAtIts, withoutContext } from './its.ts';
import { type Part, reach } from './parts.ts';
import type { StatusTools } from './tools.ts';
import type { StatusView } from './view.ts';
import { lookAtWds } from './wds.ts';

/**
 * Looks at a whole installation, at all parts side by side. A part that does not answer is described as such. Where the cluster that
 * is meant is no hosting cluster, the ITS that commands mean is all there is.
 * @throws StellarError `not-a-hosting-cluster` where there is no such ITS either; and whatever keeps the hosting cluster from being read
 */
export async function readStatus(tools: StatusTools): Promise<StatusView> {
  const all = await listControlPlanes(tools.hosting);
  if (all === undefined) return itsAlone(tools);
  const hooks = readHookVersions(tools.hosting);
  const parts = await reachAll(all, tools);
  const [hosting, itses, wdses, elsewhere] = await Promise.all([
    lookAtHosting(tools.hosting, hooks),
    Promise.all(parts.filter(({ role }) => role === 'its').map((part) => lookAtIts(part, all, tools, hooks))),
    Promise.all(parts.filter(({ role }) => role === 'wds').map((part) => lookAtWds(part, all, tools, hooks))),
    lookElsewhere(parts, tools),
  ]);
  const own = itses.filter((its) => its !== undefined);
  const isOther = elsewhere !== undefined && !(await isAmong(elsewhere, own));
  return {
    hosting,
    itses: [...own, ...(isOther ? [elsewhere] : [])].map(({ status }) => status),
    wdses: wdses.filter((wds) => wds !== undefined),
  };
}

function reachAll(all: readonly ControlPlane[], tools: StatusTools): Promise<Part[]> {
  const spaces = all.flatMap((controlPlane) => {
    const role = roleOf(controlPlane);
    return role === undefined ? [] : [{ role, controlPlane }];
  });
  return Promise.all(spaces.map(({ role, controlPlane }) => reach(role, controlPlane, tools)));
}

/** The ITS that was chosen, if it is not seen to be one of the hosting cluster's. The current context is no choice. */
async function lookElsewhere(parts: readonly Part[], tools: StatusTools): Promise<ItsSeen | undefined> {
  const { chosen } = tools;
  if (chosen === undefined || chosen.source === 'current context') return undefined;
  const context = chosenContext(chosen, tools);
  const own = parts.filter(({ role }) => role === 'its');
  if (context instanceof StellarError) {
    // What was chosen some time ago may be gone; what is asked for now may not.
    if (chosen.source === '--its') throw context;
    const isOwn = own.some(({ controlPlane }) => controlPlane.metadata.name === chosen.context);
    return isOwn ? undefined : withoutContext(chosen, context);
  }
  const isOwn = own.some(({ access }) => ifSeen(access)?.server === context.server);
  return isOwn ? undefined : lookAtChosen(context, tools);
}

/** One cluster may have several addresses. */
async function isAmong({ kube }: ItsSeen, others: readonly ItsSeen[]): Promise<boolean> {
  const identities = await Promise.all(
    [kube, ...others.map((other) => other.kube)].map((its) => its && clusterUid(its).catch(() => undefined)),
  );
  const [own, ...rest] = identities;
  return own !== undefined && rest.includes(own);
}

async function itsAlone({ hosting, hostingSource, ...tools }: StatusTools): Promise<StatusView> {
  const { chosen } = tools;
  if (chosen === undefined || hostingSource === '--hosting-context') throw notHosting(hosting);
  const context = chosenContext(chosen, tools);
  if (context instanceof StellarError) throw context;
  const { status, failure } = await lookAtChosen(context, tools);
  // Whoever has chosen nothing means a hosting cluster.
  if (failure?.code === 'not-a-hub' && chosen.source === 'current context') throw notHosting(hosting);
  if (failure !== undefined) throw failure;
  return { hosting: null, itses: [status], wdses: [] };
}
