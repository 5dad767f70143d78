import { type Check, pass, skipped } from '../core/checks.ts';
import { advice } from '../core/next-step.ts';
import { requirePermissions } from '../kube/permissions.ts';
import { readWec } from '../ocm/wec-evidence.ts';
import type { JoiningWec } from '../wecs/join-options.ts';
import type { JoinPlan } from '../wecs/join-plan.ts';
import { refuseOtherCluster } from '../wecs/ownership.ts';
import { wecPermissions } from '../wecs/permissions.ts';

/** A cluster that is to be registered. */
interface Joining extends JoiningWec {
  /** Plans the join; undefined without an ITS. */
  plan: (() => Promise<JoinPlan>) | undefined;
}

/** The requirements on a cluster that is to be registered under a name. */
export const joiningChecks: readonly Check<Joining>[] = [
  {
    ...{ id: 'wec-permissions', title: 'you may install the agent on it' },
    run: async ({ kube }) => pass(void (await requirePermissions(kube, wecPermissions()))),
  },
  { ...{ id: 'wec-role', title: 'it is a cluster to register' }, run: judgeRole },
  {
    ...{ id: 'wec-join', title: 'the ITS can register it' },
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
