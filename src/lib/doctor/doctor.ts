import { type Finding, fail, isDependent, makeChecks } from '../engine/checks.ts';
import { failureOf, StellarError } from '../engine/errors.ts';
import { inWords } from '../engine/next-step.ts';
import type { Run } from '../engine/run.ts';
import { checkHosting } from '../hosting/checks.ts';
import { notHosting } from '../hosting/hosting.ts';
import { ifSeen, reading } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { shareReads } from '../kube/client/shared-reads.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import { checkHub, checkSpace } from '../spaces/checks.ts';
import { listControlPlanes, roleOf } from '../spaces/spaces.ts';
import { SpaceWatcher } from '../spaces/stages/space-watcher.ts';
import type { SpaceTools } from '../spaces/tools.ts';
import { wecChecks } from '../wecs/get/checks.ts';
import { seeWec } from '../wecs/get/look.ts';
import { hubEndpoints } from '../wecs/hub/hub-access.ts';
import { clusterUid } from '../wecs/identity/cluster-uid.ts';
import { readWholeHub } from '../wecs/registration/hub-evidence.ts';
import { tryHubWebhook } from '../wecs/registration/hub-webhook.ts';
import type { Examined, Subject } from './subject.ts';

/** A client for an ITS, and the context that it was made of. */
interface Its {
  kube: Kube;
  context: SelectedContext;
}

/** What doctor looks at. */
export interface DoctorInput {
  /** Undefined where no hosting cluster is meant. */
  spaces: SpaceTools | undefined;
  /** The ITS that commands mean, where they mean one. */
  its: Its | undefined;
  /** It is only the current context, which counts where there is no hosting cluster. */
  isItsAssumed: boolean;
  /** The WECs that were named; where none was, all are looked at as their ITSes show them. */
  wecs: readonly { name: string; kube: Kube | undefined }[];
}

/** Checks an installation, as far as it can be reached. Reads only. @throws StellarError `usage` where it is not clear which ITS is meant */
export async function examine(input: DoctorInput, run: Run): Promise<Examined[]> {
  const { spaces, wecs } = input;
  const watcher = spaces && new SpaceWatcher(spaces);
  const own = spaces && watcher ? await examineHosting(spaces, watcher) : [];
  const hubs = own.flatMap(({ subject, findings }) => {
    const access = subject.kind === 'its' ? watcher?.accessOf(subject.name) : undefined;
    return access === undefined ? [] : [{ ...access, findings }];
  });
  const its = input.isItsAssumed && own.length > 0 ? undefined : input.its;
  const known = its && (await among(its.kube, hubs));
  const elsewhere =
    its !== undefined && known === undefined ? { ...its, findings: await checkHub(its.kube) } : undefined;
  // Whoever has chosen nothing means a hosting cluster.
  if (spaces && own.length === 0 && input.isItsAssumed && elsewhere?.findings.some(isNoHub))
    throw notHosting(spaces.hosting);
  const chosen = known ?? elsewhere;
  const meant =
    chosen !== undefined && (wecs.length > 0 || hubs.length === 0) ? [chosen] : [...hubs, elsewhere ?? []].flat();
  if (wecs.length > 0 && meant.length !== 1) throw whichIts(meant.length);
  const ofHubs = await Promise.all(
    meant.map((hub) => examineWecs(hub, wecs, run).catch((error) => [unlisted(hub, error)])),
  );
  const ofElsewhere = elsewhere && { subject: subjectOf('its', elsewhere.kube), findings: elsewhere.findings };
  return [...own, ...(ofElsewhere === undefined ? [] : [ofElsewhere]), ...ofHubs.flat()].map(withBlindness);
}

/** An ITS that answers, with what was found of it. */
interface Hub extends Its {
  findings: readonly Finding[];
}

const isNoHub = (finding: Finding): boolean => finding.status === 'fail' && finding.problem.code === 'not-a-hub';

const whichIts = (found: number): StellarError =>
  new StellarError(
    'usage',
    `${found === 0 ? 'No ITS was found' : 'There are several ITSes'}: which one are the WECs registered with?`,
    { next: [inWords('Give it: --its NAME')] },
  );

const subjectOf = (kind: 'hosting' | 'its', { cluster }: Kube): Subject => ({ kind, name: cluster.context });

async function examineHosting(tools: SpaceTools, watcher: SpaceWatcher): Promise<Examined[]> {
  const { hosting } = tools;
  const listed = await reading(() => listControlPlanes(hosting));
  if (listed.state === 'hidden' && listed.error !== undefined)
    return [{ subject: subjectOf('hosting', hosting), findings: [unanswered('hosting-reachable', listed.error)] }];
  const all = ifSeen(listed);
  if (all === undefined) return [];
  const spaces = all.flatMap((controlPlane) => {
    const role = roleOf(controlPlane);
    return role === undefined ? [] : [{ role, name: controlPlane.metadata.name }];
  });
  const [findings, ...ofSpaces] = await Promise.all([
    checkHosting(hosting),
    ...spaces.map(({ role, name }) =>
      checkSpace(name, role, all, watcher, hosting).catch((error) => [
        unanswered(`${role}-reachable`, failureOf(error)),
      ]),
    ),
  ]);
  const examined = spaces.flatMap(({ role, name }, index) => {
    const findings = ofSpaces[index];
    return findings === undefined ? [] : [{ subject: { kind: role, name }, findings }];
  });
  return [{ subject: subjectOf('hosting', hosting), findings: findings ?? [] }, ...examined];
}

/** The one of the hubs that is this ITS: one cluster may have several addresses. */
async function among(its: Kube, hubs: readonly Hub[]): Promise<Hub | undefined> {
  const same = hubs.find(({ kube }) => kube.cluster.server === its.cluster.server);
  if (same !== undefined || hubs.length === 0) return same;
  const [own, ...others] = await Promise.all([its, ...hubs.map(({ kube }) => kube)].map(clusterUid));
  return own === undefined ? undefined : hubs[others.indexOf(own)];
}

async function examineWecs(
  { kube, context, findings }: Hub,
  named: DoctorInput['wecs'],
  run: Run,
): Promise<Examined[]> {
  const served = findings.find(({ id }) => id === 'its-hub-crds');
  // Where only the rights to see it are missing, the WECs are asked for all the same: their own reads say what may not be seen.
  const isUnseen = served?.status === 'skipped' && !isDependent(served);
  if (served?.status !== 'pass' && !isUnseen) return [];
  const wecs =
    named.length > 0 ? named : [...(await readWholeHub(kube)).keys()].sort().map((name) => ({ name, kube: undefined }));
  const hub = shareReads(kube, wecs.length, run);
  let webhook: ReturnType<typeof tryHubWebhook> | undefined;
  const tryWebhook = () => {
    webhook ??= tryHubWebhook(kube);
    return webhook;
  };
  return Promise.all(
    wecs.map(async (wec) => {
      const subject: Subject = { kind: 'wec', name: wec.name, its: kube.cluster.context };
      try {
        const seen = await seeWec(hub, wec.name, wec.kube, () => hubEndpoints(kube, context), tryWebhook);
        const unreached = seen.error === undefined ? [] : [unanswered('wec-reachable', seen.error)];
        return { subject, findings: [...unreached, ...(await makeChecks(wecChecks(seen.findings), findings))] };
      } catch (error) {
        return {
          subject,
          findings: [{ id: 'wec-known', title: 'it is known', status: 'fail', problem: failureOf(error) }],
        };
      }
    }),
  );
}

/** The WECs of an ITS that cannot be listed. */
const unlisted = ({ kube }: Hub, error: unknown): Examined => ({
  subject: subjectOf('its', kube),
  findings: [{ id: 'its-wecs', title: 'its WECs can be seen', status: 'fail', problem: failureOf(error) }],
});

/** Nothing is known to be well of what was not seen at all. */
function withBlindness({ subject, findings }: Examined): Examined {
  const first = findings[0];
  if (first?.status !== 'skipped' || !findings.every(({ status }) => status === 'skipped'))
    return { subject, findings };
  const { message, next } = first.problem;
  const unseen = fail('unseen', `Nothing of ${subject.name} could be seen: ${message}.`, ...next);
  return { subject, findings: [{ id: `${subject.kind}-seen`, title: 'it can be looked at', ...unseen }, ...findings] };
}

/** What keeps everything else of a cluster from being seen. */
const unanswered = (id: string, problem: StellarError): Finding => ({
  ...{ id, title: 'its API server answers', status: 'fail', problem },
});
