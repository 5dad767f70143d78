import { failureOf, StellarError } from '../engine/errors.ts';
import { commandOf } from '../engine/next-step.ts';
import { unreached } from '../engine/stages.ts';
import { hiddenBy } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import { type ItsChoice, selectIts } from '../spaces/its-choice.ts';
import type { ControlPlane } from '../spaces/objects.ts';
import { inspectHub } from '../wecs/hub/hub.ts';
import { listWecs, type WecListItem } from '../wecs/list.ts';
import { tryHubWebhook } from '../wecs/registration/hub-webhook.ts';
import { describePart, type Look, lookBy, lookInto, type Part, withLook } from './parts.ts';
import type { StatusTools } from './tools.ts';
import type { ItsStatus, SpaceStatus, WebhookStatus, WecStatus } from './view.ts';

interface HubSeen {
  ocmVersion: string | null;
  webhook: WebhookStatus;
  wecs: WecStatus[];
}

/** @throws StellarError `not-a-hub` */
async function readHub(its: Kube): Promise<HubSeen> {
  const [wecs, ocmVersion, webhook] = await Promise.all([
    listWecs(its, { pending: false }),
    versionOf(its),
    webhookOf(its),
  ]);
  return { ocmVersion, webhook, wecs: wecs.map(toWec) };
}

async function webhookOf(its: Kube): Promise<WebhookStatus> {
  const webhook = await tryHubWebhook(its);
  const answers = webhook.state === 'unseen' ? null : webhook.state === 'answers';
  return {
    answers,
    why: 'why' in webhook ? webhook.why : '',
    next: 'next' in webhook ? (commandOf(webhook.next) ?? null) : null,
  };
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

function toWec({ name, available, stage, blockedAt, state, problem, reason, requests }: WecListItem): WecStatus {
  const pending = requests.some((request) => request.state === 'pending');
  return { name, available, stage, blockedAt, state, problem, reason, pending };
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
  const failure = look.state === 'hidden' ? look.error : undefined;
  const space = { ...elsewhere(context.name, kube.cluster.server), ready: look.state === 'seen' };
  return { ...seen(withLook(space, look), look), failure };
}

/** An ITS that was chosen, and whose context is gone. */
export function withoutContext({ context }: ItsChoice, error: StellarError): ItsSeen {
  const look = hiddenBy(error);
  return seen(withLook(elsewhere(context, null), look), look);
}

const elsewhere = (context: string, server: string | null): SpaceStatus => ({
  name: context,
  type: null,
  ready: false,
  ...unreached,
  problem: false,
  reason: '',
  context,
  server,
  created: null,
});

const blockedBy = (why: string) => ({ stage: 'hub-webhook', state: 'failed', why }) as const;

function seen(space: SpaceStatus, look: Look<HubSeen>): ItsSeen {
  const nothing = { ocmVersion: null, webhook: null, wecs: null };
  if (look.state !== 'seen') return { status: { ...space, ...nothing }, kube: undefined };
  const { inside, kube } = look.value;
  const { answers, why } = inside.webhook;
  // Neither announced, accepted nor labelled can a WEC be while it does not answer, whatever else is said of the ITS.
  const isSilent = answers === false && (space.ready || space.type === null);
  const silent = isSilent ? { ready: false, blockedAt: blockedBy(why), problem: true, reason: why } : {};
  return { status: { ...space, ...silent, ...inside }, kube };
}
