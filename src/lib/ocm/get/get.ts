import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import { describeCluster } from '../../kube/errors.ts';
import { lenient } from '../../kube/lenient.ts';
import { createdAt } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { effectiveProperties } from '../../kubestellar/customization.ts';
import { getPropertiesOf } from '../../kubestellar/properties.ts';
import { reachedStage } from '../../stages.ts';
import { singletonAgentId } from '../accept.ts';
import { noSuchWec } from '../find-wecs.ts';
import { emptyEvidence, type HubEvidence, readHub } from '../hub-evidence.ts';
import { imageVersion } from '../image.ts';
import type { Klusterlet, ManagedCluster } from '../objects.ts';
import { requireHub } from '../require-hub.ts';
import type { WecEvidence } from '../wec-evidence.ts';
import { diagnose } from './diagnosis.ts';
import { readMailbox } from './mailbox.ts';
import { judgeSeen } from './seen-stages.ts';
import { conditionViews, type RequestView, type WecSide, type WecView } from './view.ts';
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

  const registration = { name, hub: evidence, wec: seen?.evidence, now: hub.now() };
  const reports = judgeSeen(registration, new Set([...reader.forbidden, ...(seen?.forbidden ?? [])]));
  const unseen = [...reader.forbidden].map((what) => ({
    what,
    on: hub.cluster.context,
    why: 'not allowed to read them',
  }));
  return {
    name,
    its: hub.cluster.context,
    created: managedCluster === undefined ? null : new Date(createdAt(managedCluster)).toISOString(),
    kubernetesVersion: managedCluster?.status?.version?.kubernetes ?? null,
    agent: describeAgent(evidence, registeredHere ? seen?.evidence?.klusterlet : undefined),
    stage: reachedStage(reports) ?? null,
    stages: reports.map(({ id, title, verdict }) => ({
      id,
      title,
      state: verdict.state,
      ...(verdict.state === 'met' ? {} : { why: verdict.why }),
    })),
    conditions: conditionViews(managedCluster?.status?.conditions),
    labels: managedCluster?.metadata.labels ?? {},
    properties: effectiveProperties(name, managedCluster, configMap),
    mailbox,
    requests: evidence.requests.map(toRequest),
    lease:
      evidence.lease === undefined
        ? null
        : {
            renewed: evidence.lease.spec?.renewTime ?? null,
            durationSeconds: managedCluster?.spec?.leaseDurationSeconds ?? 60,
          },
    wec: side,
    unseen: [...unseen, ...(seen?.unseen ?? [])],
    diagnosis: diagnose({ registration, reports, mailbox, wec: side, its: hub.cluster.context }) ?? null,
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
  const on = kube.cluster.context;
  try {
    const { evidence, side } = await readWecSide(reader, kube.cluster);
    const unseen = [...reader.forbidden].map((what) => ({ what, on, why: 'not allowed to read them' }));
    return { evidence, side, forbidden: reader.forbidden, unseen };
  } catch (error) {
    if (!(error instanceof StellarError) || error.code === 'interrupted') throw error;
    const unseen = [{ what: 'everything', on, why: error.message }];
    return { evidence: undefined, side: undefined, forbidden: new Set(), unseen };
  }
}

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

function toRequest({ name, agent, state, created, renewal }: HubEvidence['requests'][number]): RequestView {
  return { name, agent: agent ?? null, state, created: new Date(created).toISOString(), renewal };
}

function nothingSeen(name: string, hub: Kube, forbidden: ReadonlySet<string>): StellarError {
  const kinds = ['managedclusters', 'certificatesigningrequests'].filter((kind) => forbidden.has(kind));
  if (kinds.length === 0) return noSuchWec(name, hub);
  return new StellarError(
    'forbidden',
    `Whether there is a WEC ${name} on ${describeCluster(hub.cluster)} cannot be seen: not allowed to read ${kinds.join(' and ')}.`,
    { hint: `See what is allowed: kubectl --context ${hub.cluster.context} auth can-i --list` },
  );
}
