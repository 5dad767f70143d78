import { command } from '../../lib/core/next-step.ts';
import { describeGrouped, refuseManyRemovals, removalsOf } from '../../lib/core/read-confirmed.ts';
import { few } from '../../lib/core/text/words.ts';
import { ifSelected, seenOrThrow } from '../../lib/kube/access.ts';
import type { SelectedContext } from '../../lib/kube/kubeconfig/kubeconfig.ts';
import type { Its } from '../../lib/ocm/hub/its.ts';
import { type Binding, describePolicy } from '../../lib/ocm/model/kubestellar-names.ts';
import type { Wds } from '../../lib/spaces/choose/open-wds.ts';
import type {
  ReadPolicies,
  SideEffects,
  WecChange,
} from '../../lib/workloads/selection/label-effects.ts';
import type { PolicySources } from '../../lib/workloads/selection/read-policies.ts';
import type { LookOn } from '../../lib/workloads/selection/unforeseen.ts';
import { lossRefused, lossUnknown, type Unknown } from './confirm.ts';
import type { Session } from './session.ts';

/** What a change does besides taking workloads away. */
export function describeSideEffects({ starting, unread, unforeseen }: SideEffects): string[] {
  return [
    ...unread.map(
      ({ wds, why }) =>
        `The binding policies of ${wds} could not be read, so whether they select by what is changed is unknown (${why}).`,
    ),
    ...unforeseen.map((why) => `It is unknown what WECs would lose: ${why}.`),
    ...starting.map(
      ({ policy, wecs }) =>
        `The binding policy ${describePolicy(policy)} will start selecting ${few(wecs).join(', ')}.`,
    ),
  ];
}

/** What is deleted from WECs. @param shown how many WECs are named */
export const describeReleased = ({ released }: SideEffects, shown?: number) =>
  released.map(({ policy, wecs, lacking }) => {
    const named = few(wecs, shown).join(', ');
    const spaces = withSpaces(namespacesOf(policy.binding));
    return lacking === undefined
      ? `The binding policy ${describePolicy(policy)} will stop selecting ${named}: its workloads are deleted there${spaces}.`
      : `The templates of the binding policy ${describePolicy(policy)} will lack ${lacking}: its workloads are deleted from ${named}${spaces}.`;
  });

/** The commands that give works the values that a change has replaced. */
export const refreshSteps = ({ outdated }: SideEffects) =>
  outdated.map(({ name, wds }) => command`stellarctl policy refresh ${name} --wds ${wds}`);

const namespacesOf = (binding: Binding | undefined) =>
  (binding?.spec?.workload?.clusterScope ?? []).flatMap(({ resource, name }) =>
    resource === 'namespaces' ? `Namespace ${name}` : [],
  );

/** Namespaces go with what others have created in them. */
export const withSpaces = (namespaces: readonly string[]) =>
  namespaces.length === 0
    ? ''
    : `, with everything in ${few(namespaces).join(', ')}, whoever created it`;

/** What may be lost besides what is shown. */
export const unknownLosses = ({ unread, unforeseen }: SideEffects): Unknown[] => [
  ...unread.map(({ wds, why }) => ({ what: `the binding policies of ${wds}`, why })),
  ...unforeseen.map((text) => ({ text })),
];

/**
 * Reads every BindingPolicy that sends workloads through an ITS and can be read now. Unreadable ones are no error.
 * @param how.wecs those whose works may name further WDSes (default: all) @param how.withTemplates whether to read for which properties they ask
 */
export async function openPolicies(
  session: Session,
  its: PolicySources['its'],
  how: Pick<PolicySources, 'wecs' | 'withTemplates'> = {},
) {
  const { readPolicies } = await import('../../lib/workloads/selection/read-policies.ts');
  const [kubeconfig, hosting] = await Promise.all([
    session.kubeconfig(),
    ifSelected(() => session.spaceTools()),
  ]);
  const connect = (context: SelectedContext) => session.connect(context);
  return readPolicies({ its, hosting, kubeconfig, connect, ...how });
}

/** Reads the policies that send workloads through the ITS of a WDS. */
export const policiesBeside =
  (session: Session, { its }: Wds): ReadPolicies =>
  async (withTemplates) => {
    const seen = seenOrThrow(its);
    if (seen === undefined) return { policies: [], unread: [] };
    const { name, kube } = seen;
    return openPolicies(session, { kube, context: { name } }, { withTemplates });
  };

/** What changes of WECs do to workloads. Objects that others have created are found where a context is proven to lead to the WEC. */
export async function foresee(
  session: Session,
  its: Its,
  changes: readonly WecChange[],
  lookOn?: LookOn,
) {
  const { readSideEffects } = await import('../../lib/workloads/selection/label-effects.ts');
  const { provenWec } = await import('../../lib/ocm/hub/find-wecs.ts');
  session.progress.waiting(its.context.name, 'reading its binding policies');
  return readSideEffects(
    changes,
    (withTemplates) => openPolicies(session, its, { withTemplates }),
    lookOn ?? (async (wec) => provenWec(wec, its.kube, await session.contextsNamed(wec))),
  );
}

/**
 * Refuses changes of WECs that take workloads away, or may do so, in a command that has no question about it.
 * @param options.maxRemoved `--max-removed`: so many WECs may lose their workloads, whatever is unknown @throws StellarError `loss-unknown`
 */
export async function requireForeseen(
  session: Session,
  its: Its,
  changes: readonly WecChange[],
  { maxRemoved, lookOn }: { maxRemoved?: number | undefined; lookOn?: LookOn },
): Promise<void> {
  if (changes.length === 0) return;
  const effects = await foresee(session, its, changes, lookOn);
  session.noteLines([...describeSideEffects(effects), ...describeReleased(effects)]);
  const removals = removalsOf(effects.lost, maxRemoved, effects.sentTo);
  if (maxRemoved !== undefined) return refuseManyRemovals(removals, 'would lose objects');
  const [unknown] = unknownLosses(effects);
  if (unknown !== undefined) throw lossUnknown(unknown);
  const [lost] = describeGrouped(effects.lost);
  if (lost !== undefined) throw lossRefused(`WECs would lose ${lost}`);
}
