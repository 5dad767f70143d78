import { command } from '../../engine/command-line.ts';
import { failureOf, StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import { diagnosisOf } from '../../engine/problem.ts';
import { stageViews, standingOf } from '../../engine/stages.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { createdAt } from '../../kube/objects.ts';
import { type LenientReader, lenient } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';
import { singletonAgentId } from '../accept.ts';
import { effectiveProperties } from '../customization.ts';
import { noSuchWec } from '../find-wecs.ts';
import { requireHub } from '../hub/require-hub.ts';
import { imageVersion } from '../klusterlet/image.ts';
import type { Klusterlet, ManagedCluster } from '../objects.ts';
import { getPropertiesOf } from '../properties.ts';
import { emptyEvidence, type HubEvidence, readHub } from '../registration/hub-evidence.ts';
import { tryHubWebhook } from '../registration/hub-webhook.ts';
import { leasePeriodSeconds, overdueLease } from '../registration/lease.ts';
import { requestView } from '../registration/requests.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';
import { diagnose } from './diagnosis.ts';
import { readMailbox } from './mailbox.ts';
import { judgeSeen } from './seen-stages.ts';
import { conditionViews, type WecSide, type WecView } from './view.ts';
import { readWecSide } from './wec-side.ts';

/** A WEC's ManagedCluster as it is. @throws StellarError `not-found` */
export async function getManagedCluster(hub: Kube, name: string): Promise<ManagedCluster> {
  await requireHub(hub);
  const cluster = await hub.get<ManagedCluster>(resources.managedClusters, name);
  if (cluster === undefined) throw noSuchWec(name, hub);
  return cluster;
}

/**
 * Looks at everything that an ITS and, with its client, the WEC itself show of one WEC. What cannot be seen is in the result.
 * @throws StellarError `not-found` for a name of which neither side shows anything; `forbidden` where the ITS may not be looked at
 */
export async function getWec(hub: Kube, name: string, wec: Kube | undefined): Promise<WecView> {
  const reader = lenient(hub);
  const [evidence, mailbox, configMap, seen] = await Promise.all([
    readHub(reader, [name]).then((found) => found.get(name) ?? emptyEvidence(name)),
    readMailbox(reader, name),
    getPropertiesOf(reader, name),
    wec && lookAtWec(wec),
    requireHub(hub),
  ]);
  const { managedCluster } = evidence;
  const side = seen?.side ?? null;
  const registeredHere = side?.klusterlet?.clusterName === name;
  if (managedCluster === undefined && evidence.requests.length === 0 && !registeredHere)
    throw nothingSeen(name, hub, reader.forbidden);

  const isAdmitted = managedCluster?.spec?.hubAcceptsClient === true;
  const webhook = isAdmitted ? undefined : await tryHubWebhook(hub);
  const registration = { name, hub: evidence, wec: seen?.evidence, webhook, now: hub.now() };
  const forbidden = seen?.forbidden ?? new Set();
  const reports = judgeSeen(registration, new Set([...reader.forbidden, ...forbidden]));
  const wrong = diagnose({ ...registration, reports, mailbox, forbidden, its: hub.cluster.context });
  return {
    name,
    its: hub.cluster.context,
    created: managedCluster === undefined ? null : new Date(createdAt(managedCluster)).toISOString(),
    kubernetesVersion: managedCluster?.status?.version?.kubernetes ?? null,
    agent: describeAgent(evidence, registeredHere ? seen?.evidence?.klusterlet : undefined),
    ...standingOf(reports),
    stages: stageViews(reports),
    conditions: conditionViews(managedCluster?.status?.conditions),
    labels: managedCluster?.metadata.labels ?? {},
    properties: effectiveProperties(name, managedCluster, configMap),
    mailbox,
    requests: evidence.requests.map((request) => ({ ...requestView(request), renewal: request.renewal })),
    lease:
      evidence.lease === undefined
        ? null
        : {
            renewed: evidence.lease.spec?.renewTime ?? null,
            durationSeconds: managedCluster?.spec?.leaseDurationSeconds ?? leasePeriodSeconds,
            overdue: overdueLease(evidence, hub.now()) !== undefined,
          },
    wec: side,
    unseen: [...unread(reader, hub), ...(seen?.unseen ?? [])],
    diagnosis: wrong === undefined ? null : diagnosisOf(wrong),
  };
}

interface SeenWec {
  evidence: WecEvidence | undefined;
  side: WecSide | undefined;
  forbidden: ReadonlySet<string>;
  unseen: WecView['unseen'];
}

/** A WEC that cannot be reached does not keep us from showing what the ITS knows of it. */
async function lookAtWec(kube: Kube): Promise<SeenWec> {
  const reader = lenient(kube);
  try {
    const { evidence, side } = await readWecSide(reader, kube.cluster);
    return { evidence, side, forbidden: reader.forbidden, unseen: unread(reader, kube) };
  } catch (error) {
    const unseen = [{ what: 'everything', on: kube.cluster.context, why: failureOf(error).message }];
    return { evidence: undefined, side: undefined, forbidden: new Set(), unseen };
  }
}

const unread = ({ forbidden }: LenientReader, { cluster }: Kube): WecView['unseen'] =>
  [...forbidden].map((what) => ({ what, on: cluster.context, why: 'not allowed to read them' }));

function describeAgent({ requests }: HubEvidence, klusterlet: Klusterlet | undefined): WecView['agent'] {
  const certified = requests.findLast(({ state, agent }) => agent !== undefined && state === 'issued');
  const { deployOption, imagePullSpec, registrationImagePullSpec } = klusterlet?.spec ?? {};
  // In Singleton mode one program, of the operator's image, is both agents.
  const image = deployOption?.mode === 'Singleton' ? imagePullSpec : registrationImagePullSpec;
  return {
    id: (klusterlet && singletonAgentId(klusterlet)) ?? certified?.agent ?? null,
    mode: deployOption?.mode ?? null,
    version: imageVersion(image) ?? null,
  };
}

function nothingSeen(name: string, hub: Kube, forbidden: ReadonlySet<string>): StellarError {
  const kinds = ['managedclusters', 'certificatesigningrequests'].filter((kind) => forbidden.has(kind));
  if (kinds.length === 0) return noSuchWec(name, hub);
  return new StellarError(
    'forbidden',
    `Whether there is a WEC ${name} on ${describeCluster(hub.cluster)} cannot be seen: not allowed to read ${kinds.join(' and ')}.`,
    { next: [run(command`kubectl --context ${hub.cluster.context} auth can-i --list`, 'See what is allowed')] },
  );
}
