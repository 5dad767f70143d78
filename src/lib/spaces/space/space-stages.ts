import { graceMs } from '../../core/deadline.ts';
import { advice, command, type NextStep, partial, run } from '../../core/next-step.ts';
import {
  failed,
  failedForGood,
  met,
  type Stage,
  unseen,
  type Verdict,
  waiting,
} from '../../core/stages.ts';
import { count } from '../../core/text/words.ts';
import { type Access, mayNotRead } from '../../kube/access.ts';
import {
  byName,
  conditionOf,
  type Deployment,
  isTrue,
  namesOf,
  type Pod,
  type Resource,
  resources,
  type StatefulSet,
} from '../../kube/client/objects.ts';
import {
  firstPodFailure,
  isPodReady,
  jobState,
  type PodFailure,
  podsOf,
  running,
  starting,
} from '../../kube/pods.ts';
import {
  apiServerOf,
  type Controller,
  hookNames,
  managerAdminBinding,
  managerName,
  namespaceOf,
  postgresInstallation,
  postgresName,
  systemNamespace,
} from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import { type Entrance, problemOfEntrance } from '../hosting/entrance.ts';
import { managerReady } from '../hosting/hosting-stages.ts';
import { controllerRuns, isHookMarked, repair } from './controllers-run.ts';
import { hooksOf, type SpaceEvidence } from './spaces.ts';

/** The evidence for a space: on the hosting cluster, and inside it. */
export interface Space<Inside> extends SpaceEvidence {
  inside: Access<Inside>;
  /** What answers at its address; tried if the space does not, and is reached through an ingress. */
  entrance?: Entrance | undefined;
}

/** A stage of a space, with the pods responsible for it, if any, whose logs are shown on failure. */
export interface SpaceStage<Inside> extends Stage<Space<Inside>> {
  podsOf?: (space: SpaceEvidence) => Pod[];
  /** The responsible pods inside the space. */
  podsInside?(inside: Inside): readonly Pod[];
}

export const failedFor = (why: string, ...next: NextStep[]): Verdict => failed(why, { next });

const withoutPostgres = failedFor(
  'the hosting cluster has no PostgreSQL, which control planes of type k8s keep their data in',
  run(postgresInstallation, 'Install it'),
  advice('Or use another type: --type host'),
);

/** KubeFlex has reconciled the control plane and created its objects. */
export function synced(space: SpaceEvidence): Verdict {
  const { controlPlane, name, hosting } = space;
  const condition = conditionOf(controlPlane, 'Synced');
  if (condition === undefined) return managerAtWork(space);
  if (condition.status === 'True') return met;
  const message = condition.message ?? condition.reason ?? 'no reason given';
  const bootstrap = controlPlane.spec?.bootstrapSecretRef;
  if (bootstrap !== undefined && message.includes(`"${bootstrap.name}" not found`)) {
    const secret = `${bootstrap.namespace}/${bootstrap.name}`;
    return failedFor(`its bootstrap Secret ${secret} does not exist`, newBootstrap(space));
  }
  if (message.includes(`"${postgresName}" not found`)) return withoutPostgres;
  if (
    space.type === 'host' &&
    message.includes('clusterrolebindings') &&
    message.includes('forbidden')
  ) {
    return failedFor(
      message,
      run(
        command`stellarctl ${space.role} create ${name} --type host --hosting-context ${hosting}`,
        `Give KubeFlex the rights, by ClusterRoleBinding ${managerAdminBinding}`,
      ),
    );
  }
  // KubeFlex reads its own Secrets before they exist, and reports an error each time.
  const [, awaited] = /secrets? "([^"]+)" not found/i.exec(message) ?? [];
  if (awaited !== undefined) return waiting(`KubeFlex waits for its Secret ${awaited}`);
  if (/not ready yet for service account secret/i.test(message))
    return waiting('KubeFlex waits for a token of its own');
  const why = `KubeFlex cannot set it up: ${message}`;
  return bootstrap === undefined ? failed(why) : failedFor(why, newBootstrap(space));
}

const newBootstrap = ({ name, hosting }: SpaceEvidence) =>
  partial(
    command`stellarctl its create ${name} --type external --bootstrap-context CONTEXT --hub-apiserver https://… --hosting-context ${hosting}`,
    'Provide other bootstrap credentials',
  );

function managerAtWork({ manager, hosting: context, now }: SpaceEvidence): Verdict {
  const { deployment, pods = [] } = manager ?? {};
  const verdict =
    manager && managerReady({ manager: deployment, pods, context, now, helmAtWork: false });
  if (verdict?.state === 'waiting') return verdict;
  if (verdict?.state === 'failed')
    return {
      next: [run(command`stellarctl doctor --pre --hosting-context ${context}`, 'See why')],
      ...verdict,
    };
  return waiting('KubeFlex has not observed it yet', { next: [managerLog(context)] });
}

function managerLog(context: string) {
  return run(
    command`kubectl --context ${context} -n ${systemNamespace} logs deployment/${managerName}`,
    'The log of KubeFlex says why',
  );
}

/**
 * What KubeFlex has not created although the API server runs. After 0.9.3 it runs no hooks before it reaches the API server itself,
 * and logs the reason at verbosity 3 only (pkg/util/status_check.go).
 */
function notCreated(what: string, space: SpaceEvidence): Verdict {
  const { reason, lastTransitionTime = '' } = conditionOf(space.controlPlane, 'Ready') ?? {};
  const since = conditionOf(serverPods(space).find(isPodReady), 'Ready')?.lastTransitionTime ?? '';
  const why = `KubeFlex has not created ${what} yet`;
  if (reason !== 'Unavailable' || !(Date.parse(lastTransitionTime) > Date.parse(since)))
    return waiting(why);
  const cause = 'its manager does not reach the API server inside the hosting cluster';
  return waiting(`${why}: ${cause}`, { next: [managerLog(space.hosting)] });
}

/** The pods of its API server are running. */
export function apiServerRuns(space: SpaceEvidence): Verdict {
  const server = apiServerOf[space.type];
  // Another cluster's API server, which already exists.
  if (server === undefined)
    return synced(space).state === 'met' ? met : waiting('KubeFlex has not set it up yet');
  const isSet = server.kind === 'StatefulSet';
  const all: readonly (Deployment | StatefulSet)[] = isSet ? space.statefulSets : space.deployments;
  const present = byName(all).get(server.name);
  const pods = podsOf(server.name, space.pods);
  if (present !== undefined)
    return running('its API server', { kind: server.kind, present, pods }, placeOfSpace(space));
  return (
    unreadable(space, isSet ? resources.statefulSets : resources.deployments) ??
    waiting(`KubeFlex has not created ${server.kind} ${server.name} yet`)
  );
}

const placeOfSpace = ({ hosting: context, now, name }: SpaceEvidence) => ({
  context,
  now,
  namespace: namespaceOf(name),
});

/** Objects that the user may not read are unknown, not missing. */
const unreadable = (space: SpaceEvidence, resource: Resource): Verdict | undefined =>
  unreadableIn(space, resource, `in ${namespaceOf(space.name)}`);

export function apiServerAnswers(space: Space<unknown>): Verdict {
  const { inside, type, hosting, name, forbidden } = space;
  switch (inside.state) {
    case 'seen':
      return met;
    case 'absent':
      return waiting(inside.why);
    case 'hidden':
      if (inside.error === undefined) return unseen(inside.why);
      // Other types are not behind its ingress.
      if (apiServerOf[type] === undefined) return failed(inside.why);
      if (!forbidden.has('pods') && !serverPods(space).some(isPodReady)) {
        const [pod] = namesOf(serverPods(space));
        const why =
          pod === undefined
            ? 'its API server has no pod'
            : `pod ${pod} of its API server is not ready`;
        return failedFor(
          `${inside.why}; ${why}`,
          run(
            command`kubectl --context ${hosting} -n ${namespaceOf(name)} describe pods ${pod ?? []}`,
            'See why',
          ),
        );
      }
      return unreachable(space, inside.why);
  }
}

/** @param why in the words of the client, if the entrance shows no cause */
function unreachable({ entrance, hosting }: Space<unknown>, why: string): Verdict {
  const problem = entrance && problemOfEntrance(entrance, hosting);
  if (problem !== undefined) return failed(problem.why, problem);
  return failedFor(
    why,
    run(
      command`stellarctl doctor --pre --hosting-context ${hosting}`,
      'See whether clients reach its spaces',
    ),
  );
}

/** The verdict for kinds that the user may not read in a space. */
export const unreadableIn = (
  inside: { forbidden: ReadonlySet<string> },
  { plural }: Resource,
  where = 'in it',
): Verdict | undefined =>
  inside.forbidden.has(plural) ? unseen(mayNotRead([plural], where)) : undefined;

/** Applies a check to the evidence from inside a space. */
export function checkInside<Inside>(
  check: (inside: Inside) => Verdict,
): (space: Space<Inside>) => Verdict {
  return ({ inside }) => {
    if (inside.state === 'seen') return check(inside.value);
    return inside.state === 'hidden' && inside.error === undefined
      ? unseen(inside.why)
      : waiting(inside.why);
  };
}

/** A Job of a hook has succeeded. KubeFlex does not report a failed one, and never recreates it on its own. */
export function jobDone(
  job: string,
  isMarkedDone: (space: SpaceEvidence) => boolean,
): (space: SpaceEvidence) => Verdict {
  return (space) => {
    const found = byName(space.jobs).get(job);
    // A finished Job may have been deleted since.
    if (found === undefined) {
      if (isMarkedDone(space)) return met;
      return unreadable(space, resources.jobs) ?? notCreated(`Job ${job}`, space);
    }
    const state = jobState(found);
    if (state === 'complete') return met;
    if (state === 'failed') {
      const reason = conditionOf(found, 'Failed')?.reason ?? 'no reason given';
      const tries = count(found.status?.failed ?? 0, 'try', 'tries');
      return failedForGood(
        `Job ${namespaceOf(space.name)}/${job} has failed (${reason}, ${tries})`,
        { next: [repair(space, 'Correct what its log shows, then repair it')] },
      );
    }
    const pods = podsOf(job, space.pods);
    const failure = lastingFailure(pods);
    if (failure !== undefined) return failed(`Job ${job}: ${failure.why}`);
    return starting(`Job ${job} is running`, pods, placeOfSpace(space));
  };
}

/** A Job retries after a failed pod, and the failure may not be permanent. */
const lastingFailure = (pods: Pod[]): PodFailure | undefined =>
  firstPodFailure(pods.filter(({ status }) => status?.phase !== 'Failed'));

export function deploymentRuns(name: Controller): (space: SpaceEvidence) => Verdict {
  return (space) => {
    const verdict = controllerRuns(name, space) ?? unreadable(space, resources.deployments);
    return verdict ?? notCreated(`Deployment ${name}`, space);
  };
}

/** KubeFlex reports the control plane as ready; it reconciles at least every 30 s. */
export function ready({ controlPlane }: SpaceEvidence): Verdict {
  if (isTrue(controlPlane, 'Ready')) return met;
  const { message, reason } = conditionOf(controlPlane, 'Ready') ?? {};
  return waiting(message || reason || 'KubeFlex says nothing about its readiness');
}

/** The pods of an API server. */
const serverPods = ({ type, pods }: SpaceEvidence): Pod[] =>
  apiServerOf[type] === undefined ? [] : podsOf(apiServerOf[type].name, pods);

/** One stage for each Job of a control plane's hooks. */
export function hookJobStages(controlPlane: ControlPlane): SpaceStage<unknown>[] {
  return hooksOf(controlPlane).map((hook) => ({
    id: hook,
    title:
      hook === hookNames.hubInit
        ? 'OCM hub installed'
        : hook === hookNames.statusAddon
          ? 'status add-on installed'
          : `hook ${hook} done`,
    check: jobDone(hook, isHookMarked(hook)),
    podsOf: ({ pods }) => podsOf(hook, pods),
  }));
}

/** The stages of any space until its API server answers. */
export const serverStages: readonly SpaceStage<unknown>[] = [
  { id: 'synced', title: 'observed by KubeFlex', check: synced },
  { id: 'api-server', title: 'API server runs', check: apiServerRuns, podsOf: serverPods },
  {
    id: 'reachable',
    title: 'API server answers',
    check: apiServerAnswers,
    graceMs,
    settles: ['api-server'],
  },
];
