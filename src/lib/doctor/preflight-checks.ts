import { once as emitted } from 'node:events';
import { createServer } from 'node:net';
import { type Check, fail, type Outcome, pass, skipped, warn } from '../core/checks.ts';
import { once } from '../core/concurrency.ts';
import { advice, command, partial, run, run as runCommand } from '../core/next-step.ts';
import {
  type FoundProgram,
  findProgram,
  isNewEnough,
  type Program,
  type ProgramRun,
  runProgram,
} from '../core/program.ts';
import type { Kube } from '../kube/client/client.ts';
import { missingPermissions, requirePermissions } from '../kube/permissions.ts';
import { readWec } from '../ocm/agent/wec-evidence.ts';
import { requireHub } from '../ocm/hub/require-hub.ts';
import { coreChart } from '../spaces/hosting/core-chart.ts';
import { judgeHosting } from '../spaces/hosting/hosting-stages.ts';
import { namesCheck, reachedCheck } from '../spaces/install/entrance-checks.ts';
import { initPermissions } from '../spaces/install/install-permissions.ts';
import { defaultPort } from '../spaces/local/local-cluster-names.ts';
import { dockerProgram, helmProgram, k3dProgram, kindProgram } from '../spaces/local/programs.ts';
import { roomCheck, vclusterCheck } from '../spaces/space/hosting-fit.ts';
import { ocmImagesCheck } from '../spaces/space/space-images.ts';
import type { JoiningWec } from '../wecs/join/join-options.ts';
import type { JoinPlan } from '../wecs/join/join-plan.ts';
import { refuseOtherCluster, wecPermissions } from '../wecs/join/join-requirements.ts';

/** The requirements of local clusters on the machine itself. */
export const machineChecks: readonly Check<Pick<ProgramNeeds, 'isHosting'>>[] = [
  {
    id: 'port',
    title: `port ${defaultPort} is free for a local hosting cluster`,
    run: async ({ isHosting }) =>
      (await isHosting()) ? skipped('the hosting cluster already exists') : judgePort(),
  },
];

async function judgePort(): Promise<Outcome> {
  if (await isFree(defaultPort)) return pass();
  return warn(
    'port-in-use',
    'it is in use; init --provider cannot give it to a new cluster',
    partial(
      'stellarctl init --provider kind --external-port PORT',
      'Stop the process that listens there, or use another port',
    ),
  );
}

/** Whether no process listens at a port. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = emitted(server, 'listening').then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'EADDRINUSE',
  );
  server.listen(port);
  const free = await listening;
  server.close();
  return free;
}

/** The facts that the checks of programs need. */
export interface ProgramNeeds {
  programs: ProgramRun;
  /** Whether KubeStellar must still be installed on an existing cluster, which requires helm. */
  needsHelm: () => Promise<boolean>;
  /** Whether the hosting cluster already exists. */
  isHosting: () => Promise<boolean>;
}

type Judge = (found: FoundProgram | undefined, needs: ProgramNeeds) => Promise<Outcome> | Outcome;

const programCheck = (program: Program, judgeFound: Judge): Check<ProgramNeeds> => ({
  id: program.name,
  title: `${program.name} is ${program.minimum} or newer`,
  run: async (needs) => judgeFound(await findProgram(program, needs.programs), needs),
});

/** The programs of this machine that some commands run. A missing program that no command needs is not reported. */
export const programChecks: readonly Check<ProgramNeeds>[] = [
  programCheck(helmProgram, judgeHelm),
  programCheck(dockerProgram, judgeDocker),
  programCheck(kindProgram, (found) => judgeLocal(found, kindProgram)),
  programCheck(k3dProgram, (found) => judgeLocal(found, k3dProgram)),
];

async function judgeHelm(
  found: FoundProgram | undefined,
  { needsHelm }: ProgramNeeds,
): Promise<Outcome> {
  if (found !== undefined) return judgeProgram(found, 'init', fail);
  if (!(await needsHelm())) return notNeeded(helmProgram, 'init');
  return fail('program-missing', 'it is not on PATH; needed by init', getIt(helmProgram));
}

const getIt = ({ get }: Program) => advice(`Install it: ${get}`);

const notNeeded = (program: Program, neededBy: string): Outcome =>
  skipped(`it is not on PATH; needed by ${neededBy} only`, getIt(program));

function judgeProgram(found: FoundProgram, neededBy: string, otherwise: typeof fail): Outcome {
  if (isNewEnough(found)) return pass(found.version);
  const what = found.version === '' ? 'it does not report its version' : `it is ${found.version}`;
  return otherwise(
    'program-too-old',
    `${what} (${found.path}); needed by ${neededBy}`,
    getIt(found),
  );
}

/** kind and k3d create local clusters, which not every user wants. */
function judgeLocal(found: FoundProgram | undefined, program: Program): Outcome {
  const neededBy = `init --provider ${program.name} and wec create --provider ${program.name}`;
  if (found === undefined) return notNeeded(program, neededBy);
  return judgeProgram(found, neededBy, warn);
}

async function judgeDocker(
  found: FoundProgram | undefined,
  { programs, isHosting }: ProgramNeeds,
): Promise<Outcome> {
  const neededBy = 'kind and k3d';
  if (found === undefined) return notNeeded(dockerProgram, neededBy);
  if (!isNewEnough(found)) return judgeProgram(found, neededBy, warn);
  const why = await whySilent(found, programs);
  if (why === undefined) return pass(found.version);
  const cause = `${why}; needed by ${neededBy}`;
  return (await isHosting())
    ? skipped(`${cause} only`)
    : warn('docker-unreachable', cause, runCommand('docker info'));
}

/** @returns undefined if it answers */
async function whySilent(docker: FoundProgram, run: ProgramRun) {
  const args = ['version', '--format', '{{.Server.Version}}'];
  const { exitCode, stderr } = await runProgram(run)(docker, { args, limitMs: 10_000 });
  if (exitCode === 0) return undefined;
  return /permission denied/i.test(stderr)
    ? 'you may not use its daemon'
    : 'its daemon does not answer';
}

/** KubeStellar's requirements on the hosting cluster. */
export const hostingChecks: readonly Check<HostingState>[] = [
  { id: 'hosting', title: 'it is a hosting cluster of KubeStellar', run: judgeInstalled },
  {
    id: 'permissions',
    title: 'you may install KubeStellar on it',
    run: async ({ kube, blocking }) =>
      (await blocking()) ? judgePermissions(kube) : skipped('it is installed'),
  },
  vclusterCheck,
  roomCheck,
  ocmImagesCheck,
  namesCheck,
  reachedCheck,
];

/** KubeStellar's requirements on the ITS. */
export const itsChecks: readonly Check<{ kube: Kube }>[] = [
  {
    id: 'its',
    title: 'it is an ITS',
    run: async ({ kube }) => pass(void (await requireHub(kube))),
  },
];

/** A reading of the hosting cluster that several checks share. */
export function hostingState(kube: Kube) {
  const read = once(() => judgeHosting(kube));
  return {
    kube,
    /** Whether KubeFlex is installed, in any state. */
    isHosting: async () => (await read()).isHosting,
    /** What is missing or not visible; undefined if everything is installed. */
    blocking: async () => (await read()).reports.find(({ verdict }) => verdict.state !== 'met'),
  };
}

type HostingState = ReturnType<typeof hostingState>;

async function judgeInstalled({ kube, isHosting, blocking }: HostingState): Promise<Outcome> {
  const init = command`stellarctl init --hosting-context ${kube.cluster.context}`;
  if (!(await isHosting())) return skipped('KubeStellar is not installed on it', run(init));
  const { id = '', verdict } = (await blocking()) ?? {};
  if (verdict === undefined || verdict.state === 'met') return pass();
  if (verdict.state === 'unseen') return skipped(verdict.why);
  const { why, code = id, next = [] } = verdict;
  return fail(code, why, ...next);
}

async function judgePermissions(kube: Kube): Promise<Outcome> {
  const missing = await missingPermissions(kube, initPermissions(coreChart.release));
  if (missing.length === 0) return pass();
  return fail(
    'permissions-missing',
    `you may not ${missing.join(', ')}`,
    advice('Ask for the rights of a cluster administrator'),
  );
}

/** A cluster that is to be registered. */
interface JoiningCluster extends JoiningWec {
  /** Plans the join; undefined without an ITS. */
  plan: (() => Promise<JoinPlan>) | undefined;
}

/** The requirements on a cluster that is to be registered under a name. */
export const joiningChecks: readonly Check<JoiningCluster>[] = [
  {
    id: 'wec-permissions',
    title: 'you may install the agent on it',
    run: async ({ kube }) => pass(void (await requirePermissions(kube, wecPermissions()))),
  },
  { id: 'wec-role', title: 'it is a cluster to register', run: judgeRole },
  {
    id: 'wec-join',
    title: 'the ITS can register it',
    needs: ['its-reachable', 'its', 'wec-permissions', 'wec-role'],
    async run({ plan }) {
      if (plan === undefined) return skipped('no ITS was chosen', advice('Choose it: --its NAME'));
      const { server, source } = (await plan()).endpoint;
      return pass(`agents will use ${server} (${source})`);
    },
  },
];

async function judgeRole(wec: JoiningWec) {
  await refuseOtherCluster(wec, await readWec(wec.kube), []);
  return pass();
}
