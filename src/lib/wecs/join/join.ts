import pLimit from 'p-limit';
import { forName } from '../../core/each-name.ts';
import { StellarError } from '../../core/errors.ts';
import type { Followed, JudgedReading, Reading } from '../../core/follow.ts';
import { command } from '../../core/next-step.ts';
import { readConfirmed } from '../../core/read-confirmed.ts';
import type { Run } from '../../core/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { readWec } from '../../ocm/agent/wec-evidence.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import type { HubEvidence } from '../../ocm/hub/hub-evidence.ts';
import { WebhookProbe } from '../../ocm/hub/webhook.ts';
import { klusterletName } from '../../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../../ocm/model/ocm-objects.ts';
import { noteHoles } from '../../ocm/versions/hub-holes.ts';
import { beingDeregistered } from '../diagnose/deletion.ts';
import { Acceptance } from '../follow/acceptance.ts';
import {
  acting,
  followOnHub,
  newResult,
  RegistrationFollower,
  type WecResult,
} from '../follow/follow-registration.ts';
import { makeAccount, removeAccount } from '../registration/own-requests.ts';
import type { Registration } from '../registration/registration-checks.ts';
import type { RegistrationStageId } from '../registration/registration-stage-ids.ts';
import { readingOf } from '../registration/registration-stages.ts';
import {
  announcer,
  findSameClusters,
  movingOf,
  needsWebhook,
  noteWhatIsLost,
  sameWec,
  untilNamespaceGone,
} from './before-join.ts';
import { pauseEviction, recheckConnection } from './evict-from-former-hub.ts';
import { installOperator, writeBootstrap, writeKlusterlet } from './install-klusterlet.ts';
import type { ForeseenJoin, JoiningWec, JoinOptions } from './join-options.ts';
import { type JoinPlan, type PlanStep, planJoin, planSteps, type StepText } from './join-plan.ts';
import { joinProbes } from './join-requirements.ts';
import {
  type AskedJoin,
  actOnAgent,
  clearRequests,
  evidenceOfOwn,
  isDone,
  type Joining,
  type Moment,
  type PlannedJoin,
  plannedJoin,
  reregisters,
  startedJoin,
  webhookFor,
} from './joining.ts';
import { foreseeAcceptance, foreseeRecords, recordOnIts } from './record-on-its.ts';
import { dropCertificate, retryStuckPods } from './restart-agent.ts';

/** A step of a join, in one or several of its phases. What is not needed writes nothing. */
export interface JoinStep extends StepText, Pick<Partial<PlanStep>, 'judge'> {
  /** Before the first write: waits for what would undo it. @returns whether it has waited, so that the join is planned again */
  wait?(planned: Pick<PlannedJoin, 'plan' | 'options' | 'webhook' | 'run'>): Promise<boolean>;
  /** What `write` does, for the progress. */
  title?: string;
  /** Writes to the WEC, once; a dry run records it. */
  write?(planned: PlannedJoin): Promise<unknown>;
  /** Records in a dry run what the step will write to the ITS. */
  foresee?(planned: PlannedJoin, hub: Kube): Promise<unknown>;
  /** At each reading of the ITS, before it is judged. */
  clear?(join: Joining, moment: Moment): Promise<unknown>;
  /** The same, also for a WEC that needs nothing else. @returns what was written, in words */
  record?(planned: PlannedJoin, moment: Moment): Promise<string[]>;
  /** On each judged reading. @returns a result, or `again` to read first what it has written */
  act?(
    join: Joining,
    by: { follower: RegistrationFollower; acceptance: Acceptance | undefined },
    reading: JudgedReading<Registration>,
  ): Promise<WecResult | 'again' | undefined>;
  /** Once the WEC is available. */
  end?(planned: PlannedJoin, hub: Kube): Promise<unknown>;
}

/** What a join does, in this order. A join that is rerun takes each step that its evidence does not show as done. */
export const joinSteps: readonly JoinStep[] = [
  ...planSteps,
  {
    name: 'namespace',
    done: "the agent's namespace is not being deleted",
    writes: 'nothing',
    otherwise: 'waits until `--timeout`',
    wait: ({ plan, run }) => untilNamespaceGone(plan, run),
  },
  {
    name: 'admission',
    done: "the hub's webhook answers, or the WEC is accepted already",
    writes: 'nothing',
    otherwise: 'waits until `--timeout`',
    wait: async ({ plan, options, webhook }) =>
      needsWebhook(plan, options) && (await webhook?.untilAnswering(plan.name)) === true,
  },
  {
    name: 'eviction',
    title: 'holding the works of its former hub',
    done: 'the agent keeps its certificate, or the grace period of the Klusterlet is 100 years',
    writes: 'with `fleet apply`, where it re-registers: the grace period of the Klusterlet',
    otherwise: 'ends before its agent meets the ITS',
    async write({ plan: { name, kube, reregister, wecBefore }, options, run }) {
      const { klusterlet } = wecBefore;
      if (!options.holdWorks || reregister === undefined || klusterlet === undefined) return;
      if (!(await pauseEviction(kube, klusterlet)) || kube.dryRun) return;
      run.progress.changed(name, 'its agent deletes no work until the grace period is put back');
    },
  },
  {
    name: 'token',
    done: 'the agent has a certificate that the ITS accepts, or a token that it accepts',
    title: 'requesting a token',
    writes:
      'on the ITS: a token; in mode Default with `--accept`, before Kubernetes 1.30: of a service account for this WEC alone, which is deleted once the WEC is available',
    otherwise: 'ends before anything is written to the WEC',
    async write({ access: { kube: hub }, plan: { name, reregister, account }, token }) {
      if (reregister === undefined) return;
      if (hub !== undefined && account !== undefined) await makeAccount(hub, name);
      await token();
    },
    end: async ({ plan: { name, settings } }, hub) =>
      settings.mode === 'Default' && removeAccount(hub, name),
  },
  {
    name: 'operator',
    title: 'installing the operator',
    done: 'the operator runs in the version of the hub, or in one that was installed since',
    writes:
      "the operator's rights, its namespace, its pull secret, its Deployment, and the kind Klusterlet",
    otherwise: 'ends; a rerun applies it again',
    write: ({ plan, options: { imagePullSecret }, apply }) =>
      installOperator({ ...plan, imagePullSecret, apply }),
  },
  {
    name: 'bootstrap-secret',
    title: 'writing the bootstrap secret',
    done: 'the secret has the address of the ITS and such a token, or is not needed any more',
    writes: "the agent's namespace, and the secret with the address of the ITS and a new token",
    otherwise: 'ends; a rerun writes it again',
    write: async ({ access, plan, apply, token }) =>
      plan.reregister &&
      writeBootstrap({ ...plan, apply }, await token(), access.kube !== undefined),
  },
  {
    name: 'klusterlet',
    title: 'writing the Klusterlet',
    done: 'the Klusterlet has the name of the WEC and the version of its operator',
    writes: 'the Klusterlet, once its kind is served',
    otherwise: 'ends; a rerun writes it again',
    write: async ({ plan, apply, run }) =>
      plan.versions.writeKlusterlet && writeKlusterlet({ ...plan, apply }, run),
  },
  {
    name: 'pods',
    title: 'starting pods that do not start',
    done: 'no pod of the operator or the agent waits for the next attempt of the kubelet',
    writes: 'deletes such pods, which are made again',
    otherwise: 'continues: the kubelet tries it again by itself',
    write: ({ plan: { kube, wecBefore, versions } }) =>
      retryStuckPods(kube, wecBefore, versions.installOperator),
  },
  {
    name: 'certificate',
    title: 'removing the certificate of a lost registration',
    done: 'the certificate of the agent, if it has one, is of its registration with this ITS',
    writes: "deletes the agent's certificate, and its pods, which keep a copy",
    otherwise: 'ends; a rerun finds pods that are older than the bootstrap secret',
    write: async ({ plan: { kube, wecBefore, reregister } }) =>
      reregister?.by === 'certificate' && dropCertificate(kube, wecBefore),
  },
  {
    name: 'request',
    done: 'the only requests of its agent are those for which it has the keys',
    writes: 'on the ITS: deletes superseded requests of its own agent',
    otherwise: 'continues, and names the request that you may not delete',
    clear: clearRequests,
  },
  {
    name: 'records',
    done: 'its ManagedCluster has the given labels, and the UID of its kube-system',
    writes: 'on its ManagedCluster: labels, annotations, and the UID, once it is proven',
    otherwise: 'ends for a label that another program has set meanwhile; the UID is not needed',
    foresee: (planned, hub) => foreseeRecords(hub, planned),
    record: recordOnIts,
  },
  {
    name: 'agent',
    done: 'its agent has sent its request with the present secret, and renews its Lease',
    writes:
      'a new bootstrap secret, or deletes pods and Leases of agents that make no progress by themselves, once for each cause',
    otherwise: 'waits until `--timeout`, and says what `doctor` would say',
    act: actOnAgent,
  },
  {
    name: 'acceptance',
    done: 'its request is approved, and its ManagedCluster is accepted',
    writes: 'with `--accept`, on the ITS: the approval of its own requests, and `hubAcceptsClient`',
    otherwise: 'ends for a request that is not proven to be its own',
    foresee: async (planned, hub) => planned.options.accept && foreseeAcceptance(hub, planned),
    async act({ options: { accept, effects }, ownRequests: { agent } }, { acceptance }, reading) {
      if (!accept) return undefined;
      return acceptance?.act(reading, { wait: true, agent, ownAgent: agent, effects });
    },
  },
];

/**
 * Joins WECs to an ITS in parallel: takes the steps, and follows each registration until its request exists or, with `accept`, until
 * the WEC is available. It keeps what exists and resumes what is incomplete. It tries every WEC; the error of one is in its result.
 */
export async function join(
  access: HubAccess,
  wecs: JoiningWec[],
  options: ForeseenJoin,
  run: Run,
): Promise<WecResult[]> {
  const { kube: hub } = access;
  const names = wecs.map(({ name }) => name);
  for (const name of names) run.progress.waiting(name, 'checking both clusters');
  if (hub !== undefined) await noteHoles(hub, access.ocmVersion, names, run);
  const twice = await findSameClusters(wecs);
  const shared = {
    announce: announcer(access, options, run),
    webhook: hub && new WebhookProbe(hub, run),
    probes: {
      ...joinProbes(access, wecs, run),
      recheckConnection: (kube: Kube, klusterlet: Klusterlet | undefined) =>
        recheckConnection(kube, klusterlet, run),
    },
    oneAtATime: pLimit(1),
  };
  const beginnings = wecs.map((wec) => ({
    async begin() {
      const result = newResult(wec.name);
      const asked = {
        access,
        run,
        ...shared,
        wec,
        options: { ...options, ...wec.options },
        result,
      };
      let subject: JoinSubject | undefined;
      await forName(result, run, async () => {
        const duplicate = twice.get(wec.name);
        if (duplicate !== undefined) throw sameWec(wec, duplicate);
        subject = await begin(asked);
      });
      return subject === undefined ? { result } : { subject };
    },
  }));
  return followOnHub<JoinSubject>(hub, beginnings, (wec, ofHub) => wec.read(ofHub), run);
}

/** Takes the steps up to the last write. @returns undefined if there is no registration to follow */
async function begin(asked: AskedJoin): Promise<JoinSubject | undefined> {
  const { access, options, run } = asked;
  const { kube: hub } = access;
  const planned = plannedJoin(asked, await confirmedPlan(asked));
  const { plan } = planned;
  const { name, kube, versions } = plan;
  if (isDone(access, plan)) {
    await finishDone(planned);
    return undefined;
  }
  await noteWhatIsLost(access, plan, options, run);
  for (const kept of versions.kept) run.progress.note(`${name}: ${kept}`);
  for (const { title, write } of joinSteps) {
    if (title !== undefined) run.progress.waiting(name, title);
    await write?.(planned);
  }
  if (!kube.dryRun) {
    noteInstalled(planned);
    return followed(await startedJoin(planned));
  }
  for (const { foresee } of joinSteps) if (hub !== undefined) await foresee?.(planned, hub);
  return undefined;
}

/** Plans the join; plans it once more if the user was asked, or if it had to wait: the clusters may have changed meanwhile. */
async function confirmedPlan(asked: AskedJoin): Promise<JoinPlan> {
  const { access, wec, options, probes, run } = asked;
  const { replaceHub } = options;
  const { plan } = await readConfirmed({
    async read() {
      const plan = await planJoin(access, wec, options, probes);
      return { plan, moving: await movingOf(plan, access.its) };
    },
    effects({ moving }) {
      if (moving === undefined) return [];
      const { evicted = [], orphaned = [] } = moving.works ?? {};
      const lost = [`${moving.klusterlet} at ${moving.from}`, ...evicted, ...orphaned];
      return lost.map((object) => ({ object, wec: wec.name }));
    },
    async confirm({ plan, moving }, more) {
      let isChanged =
        moving !== undefined &&
        replaceHub !== undefined &&
        (await asked.oneAtATime(() => replaceHub(moving, more)));
      if (more.length > 0) return isChanged;
      asked.announce(plan.endpoint);
      for (const note of plan.notes) run.progress.note(note);
      for (const { wait } of joinSteps) isChanged = (await wait?.({ ...asked, plan })) || isChanged;
      return isChanged;
    },
  });
  return plan;
}

/** What was written, once all of it is there. */
function noteInstalled({ plan, run, counts }: PlannedJoin) {
  const { name, reregister: cause, versions } = plan;
  const notes = [
    cause !== undefined && reregisters(plan) ? `${cause.why}: it re-registers` : [],
    versions.replaced,
  ].flat();
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  const applied = parts.map(([change, count]) => `${count} ${change}`).join(', ');
  for (const note of [...notes, `klusterlet applied (${applied})`])
    run.progress.changed(name, note);
}

/**
 * Records what is missing on the ITS, and reports that nothing else was necessary.
 * @throws StellarError `conflict` during a deregistration, before the first write
 */
export async function finishDone(planned: PlannedJoin): Promise<void> {
  const { access, plan, options, result, run } = planned;
  const { name, wecBefore, hubBefore } = plan;
  const { kube: hub, its } = access;
  const leaving = beingDeregistered({ hub: hubBefore, name, its });
  if (leaving !== undefined) throw new StellarError('conflict', leaving.message, ...leaving.next);
  const written: string[] = [];
  for (const { record, end } of joinSteps) {
    if (hub === undefined || hubBefore === undefined) break;
    const moment = { hub, evidence: hubBefore, wec: wecBefore, agent: undefined };
    written.push(...((await record?.(planned, moment)) ?? []));
    await end?.(planned, hub);
  }
  const state = hub === undefined ? 'connected' : 'available';
  Object.assign(result, { stage: state, changed: written.length > 0 });
  const done = written.join(', ') || 'nothing to do';
  run.progress.done(
    name,
    `is registered with ${its} and ${state}; ${done}.${ignoredNote(options)}`,
  );
}

const ignoredNote = ({ imagePullSecret, ocmVersion, imageRegistry }: JoinOptions) =>
  (imagePullSecret ?? ocmVersion ?? imageRegistry) === undefined
    ? ''
    : ' A join does not change the images of an agent that works, as wec upgrade does.';

/** How far to follow: as far as it is visible, and until another user must act. */
function goalOf(access: HubAccess, accept: boolean): RegistrationStageId {
  if (access.kube === undefined) return 'hub-reachable';
  return accept ? 'available' : 'request';
}

/** The registration of one WEC, followed to the goal of its join. */
interface JoinSubject extends Followed<Registration, WecResult> {
  name: string;
  /** Reads the WEC, and takes the steps that do not wait for a judgement. @param evidence undefined on the WEC's side alone */
  read(evidence: HubEvidence | undefined): Promise<Reading<Registration>>;
}

/** Reads both sides of a join. Before they are judged, its steps record what they show, and clear what an earlier agent left. */
async function readJoin(
  join: Joining,
  follower: RegistrationFollower,
  evidence: HubEvidence | undefined,
) {
  const { access, plan, ownRequests } = join;
  const { name, kube } = plan;
  const { kube: hub, its } = access;
  const wec = await readWec(kube);
  const known = { name, its, wec };
  if (hub === undefined || evidence === undefined)
    return { ...known, hub: undefined, now: kube.now() };
  for (const { clear, record } of joinSteps) {
    const moment = { hub, evidence, wec, agent: ownRequests.agent };
    await clear?.(join, moment);
    for (const text of (await record?.(join, moment)) ?? []) follower.wrote(text);
  }
  const ofOwn = evidenceOfOwn(join, evidence);
  const webhook = await webhookFor(join, ofOwn, hub.now());
  return { ...known, hub: ofOwn, webhook, now: hub.now() };
}

export function followed(join: Joining): JoinSubject {
  const { access, plan, options, run } = join;
  const { name, kube } = plan;
  const { kube: hub, its } = access;
  const follower = new RegistrationFollower({ name, kube }, hub, run, {
    until: goalOf(access, options.accept),
    checkCommand:
      hub === undefined
        ? command`kubectl --context ${kube.cluster.context} describe klusterlet ${klusterletName}`
        : command`stellarctl wec get ${`${name}=${kube.cluster.context}`} --its ${its}`,
    result: join.result,
  });
  const by = { follower, acceptance: hub && new Acceptance(hub, follower) };
  const subject = acting(follower, async (reading) => {
    for (const { act } of joinSteps) {
      const acted = await act?.(join, by, reading);
      if (acted !== undefined) return acted;
    }
    return undefined;
  });
  return {
    ...subject,
    read: async (evidence) => readingOf(await readJoin(join, follower, evidence)),
    async act(reading) {
      const result = await subject.act(reading);
      if (result?.stage === 'available' && hub !== undefined)
        for (const { end } of joinSteps) await end?.(join, hub);
      return result;
    },
  };
}
