import { StellarError } from '../../core/errors.ts';
import { advice, command, run } from '../../core/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import { isLiving, namesOf } from '../../kube/client/objects.ts';
import { hookNames } from '../../ocm/model/kubeflex-names.ts';
import type { PostCreateHook } from '../../ocm/model/kubeflex-objects.ts';
import { canNameIts, corrected, correctedHookName } from './its-name-defect.ts';
import { listControlPlanes } from './spaces.ts';

/** How a WDS gets its ITS. */
export type ItsForWds = Awaited<ReturnType<typeof chooseItsForWds>>;

/**
 * Chooses the ITS of a WDS. In KubeStellar 0.30 the transport does not start if its ITS is named, because the hook also passes a
 * selector. In that version, the ITS stays unnamed while it is the only one; with several ITSes, the WDS gets a corrected hook.
 * @param asked the name of an ITS
 * @param keepName keep the requested name for a new WDS even if the ITS is the only one, because others may follow
 * @throws StellarError `not-found` if there is no (such) ITS, `several-its` if it must be named
 */
export async function chooseItsForWds(
  hosting: Kube,
  asked: string | undefined,
  hooks: ReadonlyMap<string, PostCreateHook>,
  keepName = false,
) {
  const all = await listControlPlanes(hosting, 'its');
  const names = namesOf(all.filter(isLiving));
  const its = pickIts(hosting, asked, names);
  const hook = hooks.get(hookNames.transport);
  const chosen = {
    its,
    /** The value for the hooks: empty selects the only ITS. */
    itsName: its,
    transportHook: hookNames.transport,
    /** A corrected copy of the chart's hook, to apply before the control plane. */
    correctedHook: undefined,
  };
  if (hook === undefined || canNameIts(hook)) return chosen;
  if (names.length === 1 && !keepName) return { ...chosen, itsName: '' };
  return { ...chosen, transportHook: correctedHookName, correctedHook: corrected(hook) };
}

function pickIts({ cluster }: Kube, asked: string | undefined, names: readonly string[]) {
  const known = names.length === 0 ? 'there is none' : `there are ${names.join(', ')}`;
  if (asked !== undefined && !names.includes(asked))
    throw new StellarError(
      'not-found',
      `${cluster.context} has no ITS ${asked}: ${known}.`,
      run(
        command`stellarctl its create ${asked} --hosting-context ${cluster.context}`,
        'Create it',
      ),
    );
  const [only] = names;
  if (asked !== undefined) return asked;
  if (only === undefined)
    throw new StellarError(
      'not-found',
      `${cluster.context} has no ITS yet, which a WDS sends its workloads through.`,
      run(
        command`stellarctl its create its1 --hosting-context ${cluster.context}`,
        'Create one first',
      ),
    );
  if (names.length === 1) return only;
  throw new StellarError(
    'several-its',
    `${cluster.context} has several ITSes: ${names.join(', ')}.`,
    advice(command`Choose the ITS of the WDS: --its ${only}`),
  );
}
