import { isDeepStrictEqual } from 'node:util';
import { type ChangeResult, forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { untilMet } from '../core/follow.ts';
import { command, flagsOf, run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { met, waiting } from '../core/stages.ts';
import { isObject } from '../core/text/formats.ts';
import { count } from '../core/text/words.ts';
import { noForecast } from '../forecast/read-forecast.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { foreseen } from '../kube/client/foreseen.ts';
import { resources } from '../kube/client/objects.ts';
import { patchCurrent } from '../kube/writes.ts';
import { originGenerationAnnotation } from '../ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../ocm/model/manifest-works.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { provenWorks, worksOfPolicy } from '../spaces/choose/works-of-policy.ts';
import { readControllers } from '../spaces/space/controllers-run.ts';
import { predictManifests } from '../workloads/delivery/render.ts';
import { sentObjects } from '../workloads/delivery/works.ts';
import { noSuchPolicy } from '../workloads/policy/explain.ts';
import { getPolicy } from '../workloads/selection/policy-subject.ts';
import { requireIts } from '../workloads/selection/unseen.ts';

export interface RefreshResult extends ChangeResult {
  wds: string;
  /** Number of rewritten works. */
  works: number;
}

/**
 * Makes the transport rewrite the works of a policy with the current transforms and properties. The transport compares a work by
 * the generation in its annotation (kubestellar v0.30.0, pkg/transport/generic): without the annotation the work counts as changed. Done
 * once each work has what `render` predicts.
 * @throws StellarError `not-found`; `workload-blocked` if the transport does not run; if the ITS is not reachable
 */
export async function refreshPolicy(name: string, wds: Wds, run: Run): Promise<RefreshResult> {
  const its = requireIts(wds);
  const { works } = await provenWorks(name, wds, its);
  if (works.length === 0 && (await getPolicy(wds.kube, name)).object === undefined)
    throw await noSuchPolicy(name, wds);
  const problem = ifSeen(await tryRead(() => readControllers(wds)))?.transport;
  if (problem?.state === 'failed')
    throw new StellarError(
      'workload-blocked',
      `The transport of ${wds.name} rewrites nothing: ${problem.why}.`,
      ...(problem.next ?? []),
    );
  const result: RefreshResult = { name, wds: wds.name, works: works.length, changed: false };
  return forName(result, run, async () => {
    await rewrite(works, its);
    let tries = 1;
    await untilMet<readonly ManifestWork[]>(
      {
        check: (open) =>
          open.length === 0 ? met : waiting(`${count(open.length, 'work')} to be rewritten`),
        async read() {
          const now = await worksOfPolicy(its, name, wds);
          const open = now.filter(lacksGeneration);
          if (open.length > 0 || its.dryRun) return open;
          const stale = await staleWorks(now, wds, its);
          if (tries < mostRewrites) await rewrite(stale, its);
          tries += stale.length > 0 ? 1 : 0;
          return stale;
        },
        name,
        unmet: (open) => notRewritten(name, open.length, wds),
      },
      run,
    );
    const state =
      works.length === 0
        ? 'has no works; nothing to do'
        : `${count(works.length, 'work')} rewritten`;
    run.progress.done(name, state);
  });
}

/** Where all annotations are removed, an empty map may stay, or none. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isObject(value)) return value;
  const fields = Object.entries(value).map(([key, field]) => [key, withoutEmpty(field)] as const);
  const isEmpty = (field: unknown) =>
    field === null || (isObject(field) && Object.keys(field).length === 0);
  return Object.fromEntries(fields.filter(([, field]) => !isEmpty(field)));
}

/** The transport may have read the earlier value once; what differs then will not become equal. */
const mostRewrites = 5;

async function rewrite(works: readonly ManifestWork[], its: Kube): Promise<void> {
  const annotations = { [originGenerationAnnotation]: null };
  // The transport writes the same objects again.
  const kube = foreseen(its, noForecast);
  for (const work of works)
    await patchCurrent(kube, resources.manifestWorks, work, () => ({ annotations }));
}

/**
 * The works that are not what the transport would make of the objects now, as far as that can be predicted: it reads properties by
 * another watch than works, and may have rewritten a work with the earlier value.
 */
async function staleWorks(works: readonly ManifestWork[], wds: Wds, its: Kube) {
  const predict = await predictManifests(works, wds, its);
  return works.filter((work) =>
    sentObjects(work).some(({ object }) => {
      const predicted = predict(object, work.metadata.namespace ?? '');
      return (
        predicted !== undefined && !isDeepStrictEqual(withoutEmpty(predicted), withoutEmpty(object))
      );
    }),
  );
}

const lacksGeneration = ({ metadata }: ManifestWork) =>
  metadata.annotations?.[originGenerationAnnotation] === undefined;

function notRewritten(name: string, open: number, wds: Wds) {
  return new StellarError(
    'timeout',
    `The transport of ${wds.name} has not rewritten ${count(open, 'work')} of ${name} in time.`,
    nextStep(command`stellarctl policy get ${name} ${flagsOf(wds)}`, 'See what blocks it'),
  );
}
