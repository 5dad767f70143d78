import { findingsOfStages } from '../../core/checks.ts';
import { command, run } from '../../core/next-step.ts';
import {
  failed,
  failedForGood,
  judge,
  met,
  type Stage,
  unseen,
  type Verdict,
  waiting,
} from '../../core/stages.ts';
import { mayNotRead, partialReader } from '../../kube/access.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { shownList } from '../../kube/client/missing.ts';
import {
  type Deployment,
  isTrue,
  type Job,
  type KubeObject,
  namesOf,
  type Pod,
  resources,
  type StatefulSet,
  type WithConditions,
} from '../../kube/client/objects.ts';
import { firstPodFailure, isStatefulSetReady, jobState, podsOf, running } from '../../kube/pods.ts';
import {
  hookNames,
  managerName,
  postgresInstallation,
  postgresName,
  systemNamespace,
} from '../../ocm/model/kubeflex-names.ts';
import { coreChart } from './core-chart.ts';

/** The evidence for the stages of a hosting cluster. */
export type Hosting = Awaited<ReturnType<typeof readHosting>>;

/** What is known of an installation that runs. */
export interface Installing {
  /** The release whose Job installs PostgreSQL. */
  release: string;
  /** Whether KubeFlex requires a database. */
  needsPostgres: boolean;
}

const definitionNames = ['controlplanes', 'postcreatehooks'].map(
  (plural) => `${plural}.tenancy.kflex.kubestellar.org`,
);

/**
 * Reads a hosting cluster. By default, it assumes that no helm runs, and that a running manager of KubeFlex has the database that
 * it requires.
 * @param helmAtWork whether helm runs, and may still create missing objects
 */
export async function readHosting(
  kube: Reader,
  { release, ...installing }: Installing & { helmAtWork: boolean } = {
    release: coreChart.release.name,
    helmAtWork: false,
    needsPostgres: false,
  },
) {
  const namespace = systemNamespace;
  const [definitions, manager, postgres, postgresJob, pods, hooks] = await Promise.all([
    Promise.all(
      definitionNames.map((name) =>
        kube.get<WithConditions>(resources.customResourceDefinitions, name),
      ),
    ),
    kube.get<Deployment>(resources.deployments, managerName, { namespace }),
    kube.get<StatefulSet>(resources.statefulSets, postgresName, { namespace }),
    kube.get<Job>(resources.jobs, `${release}-install-postgresql`, { namespace }),
    kube.list<Pod>(resources.pods, { namespace }),
    kube.list<KubeObject>(resources.postCreateHooks),
  ]);
  return {
    ...installing,
    context: kube.cluster.context,
    /** Of its clock, milliseconds since the epoch. */
    now: kube.now(),
    definitions,
    manager,
    postgres,
    /** Deleted once it succeeds. */
    postgresJob,
    /** Pods in KubeFlex's namespace. */
    pods: shownList(pods),
    hooks: namesOf(shownList(hooks)),
  };
}

/** Pending while helm runs; afterwards nothing creates it. */
const absent = ({ helmAtWork }: Pick<Hosting, 'helmAtWork'>, what: string): Verdict =>
  helmAtWork ? waiting(`helm has not created ${what} yet`) : failedForGood(`${what} is missing`);

function served(hosting: Hosting): Verdict {
  const { definitions } = hosting;
  if (definitions.every((definition) => isTrue(definition, 'Established'))) return met;
  return definitions.includes(undefined)
    ? absent(hosting, "KubeFlex's CustomResourceDefinition")
    : waiting("KubeFlex's kinds are not served yet");
}

function postgresReady(hosting: Hosting): Verdict {
  const { postgres, postgresJob, needsPostgres, pods } = hosting;
  const isDone = isStatefulSetReady(postgres);
  if (!isDone && postgresJob !== undefined && jobState(postgresJob) === 'failed')
    return failedForGood(
      `Job ${systemNamespace}/${postgresJob.metadata.name}, which installs PostgreSQL, has failed`,
    );
  const managerPods = postgresPods(hosting);
  if (postgres !== undefined)
    return running(
      'PostgreSQL',
      { kind: 'StatefulSet', present: postgres, pods: managerPods },
      inSystem(hosting),
    );
  const failure = firstPodFailure(managerPods);
  if (failure !== undefined) return failed(`PostgreSQL does not start: ${failure.why}`);
  if (!needsPostgres) return met;
  if (postgresJob !== undefined)
    return waiting(`Job ${postgresJob.metadata.name} is installing PostgreSQL`);
  const verdict = absent(hosting, `StatefulSet ${systemNamespace}/${postgresName} (PostgreSQL)`);
  return verdict.state === 'failed' && pods.length > 0
    ? { ...verdict, next: [installPostgres] }
    : verdict;
}

/** The chart installs PostgreSQL only on its own installation. */
const installPostgres = run(postgresInstallation, 'Install it');

const postgresPods = ({ pods, postgresJob }: Hosting): Pod[] => [
  ...podsOf(postgresName, pods),
  ...(postgresJob === undefined ? [] : podsOf(postgresJob.metadata.name, pods)),
];

type HostingManager = Pick<Hosting, 'manager' | 'pods' | 'context' | 'now' | 'helmAtWork'>;

/** KubeFlex's manager runs. */
export function managerReady(hosting: HostingManager): Verdict {
  const { manager, pods } = hosting;
  if (manager === undefined) return absent(hosting, `Deployment ${systemNamespace}/${managerName}`);
  const managerPods = { kind: 'Deployment', present: manager, pods: podsOf(managerName, pods) };
  return running("KubeFlex's manager", managerPods, inSystem(hosting));
}

const inSystem = ({ context, now }: HostingManager) => ({
  context,
  now,
  namespace: systemNamespace,
});

function hooksPresent(hosting: Hosting): Verdict {
  const missing = Object.values(hookNames).filter((name) => !hosting.hooks.includes(name));
  return missing.length === 0 ? met : absent(hosting, `the post-create hook ${missing.join(', ')}`);
}

/** A stage of a hosting cluster, with the pods responsible for it, whose logs are shown on failure. */
export interface HostingStage extends Stage<Hosting> {
  podsOf?: (hosting: Hosting) => Pod[];
}

/** The stages of a hosting cluster, in their order of completion. */
export const hostingStages: readonly HostingStage[] = [
  { id: 'definitions', title: "KubeFlex's kinds are served", check: served },
  { id: 'postgresql', title: 'PostgreSQL is ready', check: postgresReady, podsOf: postgresPods },
  {
    id: 'manager',
    title: "KubeFlex's manager is ready",
    check: managerReady,
    podsOf: ({ pods }) => podsOf(managerName, pods),
  },
  { id: 'hooks', title: "KubeStellar's post-create hooks are installed", check: hooksPresent },
];

/** Reads the parts of a hosting cluster, and judges its stages as far as the user may see them. */
export async function judgeHosting(hosting: Kube) {
  const reader = partialReader(hosting);
  const evidence = await readHosting(reader);
  const { forbidden } = reader;
  const { context, pods, definitions } = evidence;
  const init = command`stellarctl init --hosting-context ${context}`;
  const reports = judge(hostingStages, evidence).map(({ verdict, ...stage }) => {
    if (verdict.state === 'met' || verdict.state === 'unseen') return { ...stage, verdict };
    const next = verdict.next ?? [run(init, 'Install what is missing')];
    return {
      ...stage,
      verdict: forbidden.size > 0 ? unseen(mayNotRead(forbidden)) : { ...verdict, next },
    };
  });
  return {
    findings: findingsOfStages('hosting', context, reports),
    reports,
    pods,
    forbidden,
    /** Whether KubeFlex is installed, in any state. */
    isHosting: !definitions.includes(undefined),
  };
}
