import { type Check, fail, type Outcome, pass, skipped } from '../core/checks.ts';
import { once } from '../core/concurrency.ts';
import { advice, command, run } from '../core/next-step.ts';
import { blockingStage, judge } from '../core/stages.ts';
import { partialReader } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { missingPermissions, requirePermissions } from '../kube/permissions.ts';
import { readWec } from '../ocm/agent/wec-evidence.ts';
import { requireHub } from '../ocm/hub/require-hub.ts';
import { coreChart } from '../spaces/hosting/core-chart.ts';
import { type Hosting, hostingStages, readHosting } from '../spaces/hosting/hosting-stages.ts';
import { namesCheck, reachedCheck } from '../spaces/install/entrance-checks.ts';
import { initPermissions } from '../spaces/install/install-permissions.ts';
import { roomCheck } from '../spaces/space/node-room.ts';
import { ocmImagesCheck } from '../spaces/space/space-images.ts';
import { vclusterCheck } from '../spaces/vcluster-host.ts';
import type { JoiningWec } from '../wecs/join/join-options.ts';
import type { JoinPlan } from '../wecs/join/join-plan.ts';
import { refuseOtherCluster, wecPermissions } from '../wecs/join/join-requirements.ts';

/** KubeStellar's requirements on the hosting cluster. */
export const hostingChecks: readonly Check<HostingState>[] = [
  { id: 'hosting', title: 'it is a hosting cluster of KubeStellar', run: judgeHosting },
  {
    id: 'permissions',
    title: 'you may install KubeStellar on it',
    run: async (state) =>
      (await state.isComplete()) ? skipped('it is installed') : judgePermissions(state.kube),
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
export class HostingState {
  readonly kube: Kube;
  /** Parts that are not visible count as missing. */
  readonly read: () => Promise<Hosting>;

  constructor(kube: Kube) {
    this.kube = kube;
    this.read = once(() => readHosting(partialReader(kube)));
  }

  /** Whether KubeFlex is installed, in any state. */
  async isHosting(): Promise<boolean> {
    return (await this.read()).definitions.every((definition) => definition !== undefined);
  }

  /** Whether everything is installed. */
  async isComplete(): Promise<boolean> {
    return blockingStage(judge(hostingStages, await this.read())) === undefined;
  }
}

async function judgeHosting(state: HostingState): Promise<Outcome> {
  const init = command`stellarctl init --hosting-context ${state.kube.cluster.context}`;
  const hosting = await state.read();
  if (!(await state.isHosting())) return skipped('KubeStellar is not installed on it', run(init));
  const blocking = blockingStage(judge(hostingStages, hosting));
  if (blocking === undefined) return pass();
  const { state: how, why, code = blocking.id, next = [run(init)] } = blocking.verdict;
  return fail(code, why, ...(how === 'failed' ? next : [run(init)]));
}

async function judgePermissions(kube: Kube): Promise<Outcome> {
  const missing = await missingPermissions(kube, initPermissions(coreChart.release));
  if (missing.length === 0) return pass();
  const ask = advice('Ask for the rights of a cluster administrator');
  return fail('permissions-missing', `you may not ${missing.join(', ')}`, ask);
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
