import { type Check, fail, type Outcome, pass, skipped } from '../core/checks.ts';
import { StellarError } from '../core/errors.ts';
import { partial } from '../core/next-step.ts';
import { compareVersions } from '../core/text/version.ts';
import { partialReader } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { isTrue } from '../kube/client/objects.ts';
import { listControlPlanes, typeOf } from './space/spaces.ts';

/** Spaces of type vcluster (chart 0.16.4, k3s 1.27.2) do not start on this version of k3s and later ones. */
const failing = { version: '1.35', source: 'kubestellar/kubestellar#3832: k3d 5.9.0' };

export const vclusterCheck: Check<{ kube: Kube }> = {
  id: 'vcluster',
  title: 'spaces of type vcluster are not known to fail on its version of Kubernetes',
  run: ({ kube }) => judgeVersion(kube),
};

/** A space that runs there says more than what is known of its version. */
async function judgeVersion(hosting: Kube): Promise<Outcome> {
  const { gitVersion = '' } = (await hosting.read<{ gitVersion?: string }>('/version')) ?? {};
  const [version] = /\d+\.\d+/.exec(gitVersion) ?? [];
  if (version === undefined) return skipped('its API server does not say its version');
  if (!gitVersion.includes('+k3s') || compareVersions(version, failing.version) < 0)
    return pass(version);
  const spaces = await listControlPlanes(partialReader(hosting));
  const running = spaces.find((space) => typeOf(space) === 'vcluster' && isTrue(space, 'Ready'));
  if (running !== undefined) return pass(`${running.metadata.name} runs on ${version}`);
  return fail(
    'kubernetes-unsupported',
    `spaces of type vcluster do not start on ${gitVersion} (${failing.source})`,
    partial('stellarctl its create NAME --type host', 'On this cluster'),
  );
}

/** @throws StellarError `kubernetes-unsupported` if a source names the version of the hosting cluster as failing */
export async function requireVclusterHost(hosting: Kube): Promise<void> {
  const outcome = await judgeVersion(hosting);
  if (outcome.status !== 'fail') return;
  const { next } = outcome.problem;
  const message = `The hosting cluster ${hosting.cluster.context}: ${outcome.problem.message}.`;
  throw new StellarError('kubernetes-unsupported', message, { next });
}
