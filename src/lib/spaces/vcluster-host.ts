import { type Check, fail, type Outcome, pass, skipped, warn } from '../engine/checks.ts';
import { StellarError } from '../engine/errors.ts';
import { partial, stepLines } from '../engine/next-step.ts';
import type { Run } from '../engine/run.ts';
import type { Kube } from '../kube/client/client.ts';
import { isTrue } from '../kube/objects.ts';
import { partialReader } from '../kube/partial-reader.ts';
import { knownKubernetes, minorOf, testedFor } from '../model/supported-kubernetes.ts';
import { compareVersions } from '../programs/version.ts';
import { listControlPlanes, typeOf } from './spaces.ts';

export const vclusterCheck: Check<{ kube: Kube }> = {
  ...{ id: 'vcluster', title: 'spaces of type vcluster run on its version of Kubernetes' },
  run: ({ kube }) => judge(kube),
};

/** A space that runs there says more than what is known of its version. */
async function judge(hosting: Kube): Promise<Outcome> {
  const { gitVersion = '' } = (await hosting.read<{ gitVersion?: string }>('/version')) ?? {};
  const version = minorOf(gitVersion);
  if (version === undefined) return skipped('its API server does not say its version');
  const tested = testedFor('vcluster');
  if (tested.includes(version)) return pass(version);
  const spaces = (await listControlPlanes(partialReader(hosting))) ?? [];
  const running = spaces.find((space) => typeOf(space) === 'vcluster' && isTrue(space, 'Ready'));
  if (running !== undefined) return pass(`${running.metadata.name} runs on ${version}`);
  const failing = knownKubernetes.find(
    (known) => known.program === 'vcluster' && !known.runs && compareVersions(version, known.version) >= 0,
  );
  const onThese = `they do on ${tested.join(', ')}`;
  const step = partial('stellarctl its create NAME --type host', 'On this cluster');
  return failing !== undefined && gitVersion.includes('+k3s')
    ? fail(
        'kubernetes-unsupported',
        `spaces of type vcluster do not start on ${gitVersion} (${failing.source}); ${onThese}`,
        step,
      )
    : warn('kubernetes-untested', `no source says that spaces of type vcluster run on ${gitVersion}; ${onThese}`);
}

/** @throws StellarError `kubernetes-unsupported` if a source names the version of the hosting cluster as failing */
export async function requireVclusterHost(hosting: Kube, { progress }: Run): Promise<void> {
  const outcome = await judge(hosting);
  if (outcome.status !== 'fail' && outcome.status !== 'warn') return;
  const { message, next } = outcome.problem;
  const sentence = `The hosting cluster ${hosting.cluster.context}: ${message}.`;
  if (outcome.status === 'fail') throw new StellarError('kubernetes-unsupported', sentence, { next });
  for (const line of [sentence, ...stepLines(next)]) progress.note(line);
}
