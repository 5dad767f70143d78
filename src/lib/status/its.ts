import { StellarError } from '../errors.ts';
import { type ItsChoice, selectIts } from '../its-choice.ts';
import type { Kube } from '../kube/client.ts';
import type { SelectedContext } from '../kube/kubeconfig.ts';
import type { ControlPlane } from '../kubeflex/objects.ts';
import { inspectHub } from '../ocm/hub.ts';
import { listWecs, type WecListItem } from '../ocm/list.ts';
import { describePart, failureOf, type Look, lookBy, lookInto, type Part, withLook } from './parts.ts';
import type { StatusTools } from './tools.ts';
import type { ItsStatus, SpaceStatus, WecStatus } from './view.ts';

interface HubSeen {
  ocmVersion: string | null;
  wecs: WecStatus[];
}

/** @throws StellarError `not-a-hub` */
async function readHub(its: Kube): Promise<HubSeen> {
  const [wecs, ocmVersion] = await Promise.all([listWecs(its, { pending: false, withLeases: false }), versionOf(its)]);
  return { ocmVersion, wecs: wecs.map(toWec) };
}

/** Whatever keeps the version from being seen is no more than that: the list of WECs tells what is wrong. */
async function versionOf(its: Kube): Promise<string | null> {
  try {
    return (await inspectHub(its)).version ?? null;
  } catch (error) {
    if (error instanceof StellarError) return null;
    throw error;
  }
}

function toWec({ name, available, stage, state, problem, reason, requests }: WecListItem): WecStatus {
  const pending = requests.some((request) => request.state === 'pending');
  return { name, available, stage, state, problem, reason, pending };
}

/** An ITS of the hosting cluster, with a client for it where it answered. */
export interface ItsSeen {
  status: ItsStatus;
  kube: Kube | undefined;
}

export async function lookAtIts(
  part: Part,
  all: readonly ControlPlane[],
  tools: StatusTools,
): Promise<ItsSeen | undefined> {
  const looking = lookInto(part, tools, readHub);
  const space = await describePart(part, looking, all, tools);
  return space && seen(space, await looking);
}

/** The context of the ITS that commands mean, or why there is none. */
export function chosenContext(
  { context, source }: ItsChoice,
  { kubeconfig }: Pick<StatusTools, 'kubeconfig'>,
): SelectedContext | StellarError {
  try {
    return selectIts(kubeconfig, context, source);
  } catch (error) {
    return failureOf(error);
  }
}

/** Looks at the ITS that commands mean, whatever it belongs to. */
export async function lookAtChosen(
  context: SelectedContext,
  { parts }: Pick<StatusTools, 'parts'>,
): Promise<ItsSeen & { failure: StellarError | undefined }> {
  const kube = parts.open('chosen ITS', context);
  const look = await lookBy(kube, readHub);
  const failure = 'error' in look ? look.error : undefined;
  const space = { ...elsewhere(context.name, kube.cluster.server), ready: 'inside' in look };
  return { ...seen(withLook(space, look), look), failure };
}

/** An ITS that was chosen, and whose context is gone. */
export function withoutContext({ context }: ItsChoice, error: StellarError): ItsSeen {
  return seen(withLook(elsewhere(context, null), { error }), { error });
}

const elsewhere = (context: string, server: string | null): SpaceStatus => ({
  name: context,
  type: null,
  ready: false,
  stage: null,
  problem: false,
  reason: '',
  context,
  server,
  created: null,
});

function seen(space: SpaceStatus, look: Look<HubSeen>): ItsSeen {
  const nothing = { ocmVersion: null, wecs: null };
  return 'inside' in look
    ? { status: { ...space, ...look.inside }, kube: look.kube }
    : { status: { ...space, ...nothing }, kube: undefined };
}
