import type { StellarError } from '../core/errors.ts';
import { commandOf } from '../core/next-step.ts';
import { unreached } from '../core/stages.ts';
import { type Access, errorOf, seen as found } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { type SelectedContext, withoutCredentials } from '../kube/kubeconfig/kubeconfig.ts';
import { partialReader } from '../kube/partial-reader.ts';
import { type HookVersions, products, versionsOfHooks } from '../ocm/program-versions.ts';
import { versionOfProduct } from '../ocm/running-versions.ts';
import { tryHubWebhook } from '../ocm/webhook.ts';
import { type ItsChoice, resolveIts } from '../spaces/its-choice.ts';
import { readHubPods } from '../spaces/its-contents.ts';
import { type HubPods, itsVersions } from '../spaces/space-versions.ts';
import { listWecs, type WecListItem } from '../wecs/list.ts';
import { readSent, type SentCounts } from '../workloads/sent-counts.ts';
import {
  describePart,
  type PartReading,
  readPart,
  type SpaceReading,
  type StatusTools,
  withReading,
} from './status-parts.ts';
import type { ItsStatus, SpaceStatus, WebhookStatus, WecStatus } from './status-view.ts';

interface HubReading extends HubPods {
  webhook: WebhookStatus;
  wecs: WecStatus[];
}

/** @throws StellarError `not-a-hub` */
async function readHub(its: Kube): Promise<HubReading> {
  const reader = partialReader(its);
  const [wecs, sent, hubPods, webhook] = await Promise.all([
    listWecs(its, { pending: false }),
    readSent(reader),
    readHubPods(reader),
    webhookOf(its),
  ]);
  return { hubPods, forbidden: reader.forbidden, webhook, wecs: wecs.map((wec) => toWec(wec, sent)) };
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

function toWec(
  { name, available, stage, blockedAt, state, problem, reason, labels, requests }: WecListItem,
  sent: ReadonlyMap<string, SentCounts[]> | undefined,
): WecStatus {
  const pending = requests?.some((request) => request.state === 'pending') === true;
  const workloads = sent === undefined ? null : (sent.get(name) ?? []);
  return { name, available, stage, blockedAt, state, problem, reason, labels, pending, workloads };
}

/** An ITS of the hosting cluster, with a client for it if it answered. */
export interface ItsReading {
  status: ItsStatus;
  kube: Kube | undefined;
}

export async function readItsStatus(
  part: SpaceReading,
  tools: StatusTools,
  hooks: Promise<HookVersions>,
): Promise<ItsReading | undefined> {
  const pending = readPart(part.access, tools, readHub);
  const [space, hookVersions] = await Promise.all([describePart(part, pending, tools), hooks]);
  return space && seen(space.status, await pending, space.evidence, hookVersions);
}

/** The context of the ITS that commands use. @throws StellarError if there is none */
export const chosenContext = (choice: ItsChoice, tools: StatusTools): Promise<SelectedContext> =>
  resolveIts(choice, tools.kubeconfig, async () => found(tools));

/** Reads the ITS that commands use, of any hosting cluster. */
export async function readChosenIts(
  context: SelectedContext,
  tools: StatusTools,
): Promise<ItsReading & { failure: StellarError | undefined }> {
  const reading = await readPart(found(context), tools, readHub);
  const space = { ...foreign(context.name, withoutCredentials(context.server)), ready: reading.state === 'seen' };
  return { ...seen(withReading(space, reading), reading), failure: errorOf(reading) };
}

/** A chosen ITS whose context is gone. */
export const withoutContext = ({ given }: ItsChoice, access: Access<never>): ItsReading =>
  seen(withReading(foreign(given, null), access), access);

const foreign = (context: string, server: string | null): SpaceStatus => ({
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

/** What the hosting cluster shows of an ITS that belongs to another one. */
const none = { type: 'external', pods: [], forbidden: new Set<string>() };

function seen(
  space: SpaceStatus,
  reading: PartReading<HubReading>,
  outside: Parameters<typeof itsVersions>[0] = none,
  hooks: HookVersions = versionsOfHooks([]),
): ItsReading {
  const versions = itsVersions(outside, reading.state === 'seen' ? found(reading.value.inside) : reading, hooks);
  const ocmVersion = versionOfProduct(products.ocm, versions);
  if (reading.state !== 'seen')
    return { status: { ...space, ocmVersion, versions, webhook: null, wecs: null }, kube: undefined };
  const {
    kube,
    inside: { webhook, wecs },
  } = reading.value;
  const { answers, why } = webhook;
  // While the webhook does not answer, no WEC can register, be accepted or be labelled, whatever else the ITS shows.
  const isSilent = answers === false && (space.ready || space.type === null);
  const silent = isSilent ? { ready: false, blockedAt: blockedBy(why), problem: true, reason: why } : {};
  return { status: { ...space, ...silent, ocmVersion, versions, webhook, wecs }, kube };
}
