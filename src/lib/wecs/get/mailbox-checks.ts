import { command } from '../../engine/command-line.ts';
import { count } from '../../engine/counts.ts';
import { run } from '../../engine/next-step.ts';
import { type Problem, problem } from '../../engine/problem.ts';
import { conditionOf, type WithConditions } from '../../kube/objects.ts';
import type { ManifestWork } from '../../workloads/manifest-works.ts';
import { spell } from '../grant/kinds.ts';
import { type Findings, lookAtCluster } from './diagnosis.ts';

export function worksRefused({ refused = [], wec, name, its }: Findings): Problem | undefined {
  if (refused.length === 0 || wec === undefined) return undefined;
  return problem(
    'work-rights-missing',
    `The work agent of ${name} may not apply ${refused.map(spell).join(', ')}, which its works contain.`,
    run(
      command`stellarctl wec grant ${`${name}=${wec.context}`} --from-errors --its ${its}`,
      'Give it these rights, if it is to have them',
    ),
  );
}

export function worksNotApplied({ mailbox, name, its }: Findings): Problem | undefined {
  const failed = (mailbox?.works ?? []).flatMap((group) => group.failed);
  const [first] = failed;
  if (first === undefined) return undefined;
  return problem(
    'works-not-applied',
    `${count(failed.length, 'work')} could not be applied on ${name}: ${first.message}.`,
    run(command`kubectl --context ${its} -n ${name} describe manifestwork ${first.name}`),
  );
}

/** Where the agents of add-ons run, unless an add-on says otherwise (ocm addon/v1alpha1, ManagedClusterAddOn). */
const addonNamespace = 'open-cluster-management-agent-addon';

/** An add-on that has looked at itself and is not well; what nobody has looked at yet says nothing. */
export const unavailableAddonOf = ({ contents }: Findings): WithConditions | undefined =>
  contents?.addons.find((addon) => conditionOf(addon, 'Available')?.status === 'False');

export function unavailableAddon(findings: Findings): Problem | undefined {
  const { wec, name, its } = findings;
  const addon = unavailableAddonOf(findings);
  if (addon === undefined) return undefined;
  const { spec } = addon as WithConditions & { spec?: { installNamespace?: string } };
  const { message, reason } = conditionOf(addon, 'Available') ?? {};
  return problem(
    'addon-unavailable',
    `The add-on ${addon.metadata.name} of ${name} is not available: ${message ?? reason}.`,
    wec === undefined
      ? lookAtCluster(name, its)
      : run(
          command`kubectl --context ${wec.context} -n ${spec?.installNamespace ?? addonNamespace} get deployments,pods`,
          'See what of it does not run',
        ),
  );
}

/** A work by which the hub itself makes the Klusterlet of the WEC. */
export const klusterletWorkOf = ({ contents }: Findings): ManifestWork | undefined =>
  contents?.works.find(
    ({ metadata, spec }) =>
      metadata.deletionTimestamp === undefined &&
      spec?.workload?.manifests?.some(({ kind }) => kind === 'Klusterlet') === true,
  );

/** Whoever removes the Klusterlet will see it again. */
export function returningKlusterlet(findings: Findings): Problem | undefined {
  const { name, its } = findings;
  const work = klusterletWorkOf(findings);
  if (work === undefined) return undefined;
  const found = problem(
    'klusterlet-in-work',
    `The work ${work.metadata.name} holds a Klusterlet: as long as it is there, that of ${name} comes back whenever it is deleted.`,
    run(
      command`kubectl --context ${its} -n ${name} get manifestwork ${work.metadata.name} -o yaml`,
      'See who has made it, and delete it before a deregistration',
    ),
  );
  return { ...found, severity: 'warn' };
}
