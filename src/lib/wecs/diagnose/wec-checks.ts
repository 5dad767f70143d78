import { type Check, dependent, skipped, unless } from '../../core/checks.ts';
import { begun } from '../../core/deadline.ts';
import { advice, command, type Problem, run } from '../../core/next-step.ts';
import { count } from '../../core/text/words.ts';
import { conditionOf, groupResourceOf, type WithConditions } from '../../kube/client/objects.ts';
import type { WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { toEndRefusal } from '../../ocm/hub/refusals.ts';
import { addonNamespace, isOurs, statusAddon } from '../../ocm/model/ocm-names.ts';
import { wecPrograms } from '../../ocm/versions/program-versions.ts';
import {
  mayNotReadPods,
  type RunningVersion,
  runningVersions,
  wecApart,
} from '../../ocm/versions/running-versions.ts';
import { groupWorks } from '../registration/mailbox.ts';
import { toSeeCluster, wecProblem } from '../registration/problems.ts';
import { noWecAccess, type WecFindings } from '../registration/registration-checks.ts';
import { heldWorks } from './deletion.ts';
import {
  agentIsSilent,
  firstFound,
  leaseRow,
  onHub,
  onWec,
  type Row,
  reaching,
  registrationRows,
  reportsTitle,
  runningChecks,
} from './verdict.ts';

/** The checks of what a WEC is for. */
const workRows: readonly Row[] = [
  onWec('work-rights', 'its agent may apply what its works contain', worksRefused, [
    'wec-klusterlet',
  ]),
  onHub('works-deleted', 'no work of it is blocked in its deletion', heldWorks, [
    'wec-not-deleted',
  ]),
  onHub('works', 'its works are applied', worksNotApplied, [
    ...runningChecks,
    'wec-hub-connection',
    'wec-reports',
    'wec-work-rights',
    'wec-not-deleted',
  ]),
  onHub('addons', 'its add-ons are available', unavailableAddon, [
    ...reaching,
    'wec-not-deleted',
    'wec-api-server',
    'wec-reports',
    'wec-works',
  ]),
  leaseRow,
  onWec('versions', 'its agent has the version of the ITS', agentVersionsApart),
];
/** Why nothing of the cluster itself is visible. */
function whyNotVisible({ otherCluster, context, wec }: WecFindings) {
  if (wec !== undefined) return `${wec.context} does not let you read it`;
  if (otherCluster !== undefined)
    return `the context ${otherCluster.context} leads to another cluster`;
  return context === undefined ? noWecAccess : `${context} does not answer`;
}

const rows = [...registrationRows, ...workRows];

/** The checks of a WEC: of its registration, then of what it is for. */
export const wecChecks: readonly Check<WecFindings>[] = rows.map(({ find, sees, ...check }) => ({
  ...check,
  run(findings) {
    if (!sees(findings)) return skipped(whyNotVisible(findings));
    const outcome = unless(find(findings));
    const isLastKnown =
      outcome.status === 'pass' &&
      reportedChecks.has(check.id) &&
      agentIsSilent(findings) !== undefined;
    return isLastKnown ? dependent({ title: reportsTitle }) : outcome;
  },
}));

/** What only an agent that reports can show. */
const reportedChecks = new Set(['wec-works', 'wec-addons', 'wec-lease']);

/**
 * Describes in one sentence what keeps a WEC from being available and working, with the next commands.
 * @param unreached why its cluster could not be read: rather the cause than the effect of works that are not applied
 */
export const diagnose = (findings: WecFindings, unreached?: Problem): Problem | undefined =>
  firstFound(registrationRows, findings) ?? unreached ?? firstFound(workRows, findings);

function worksRefused({ refused, wec, name, its }: WecFindings): Problem | undefined {
  if (refused === undefined || refused.length === 0 || wec === undefined) return undefined;
  return wecProblem(
    'work-rights-missing',
    `The work agent of ${name} may not apply ${refused.map(groupResourceOf).join(', ')}, which its works contain.`,
    run(
      command`stellarctl wec grant ${`${name}=${wec.context}`} --from-errors --its ${its}`,
      'Give it these rights, if it is to have them',
    ),
  );
}

function worksNotApplied({ contents, name, its, now, wec }: WecFindings): Problem | undefined {
  const groups = groupWorks(contents?.works ?? []).filter((group) => group.failed.length > 0);
  const failed = groups.flatMap((group) => group.failed);
  const [first] = failed;
  if (first === undefined) return undefined;
  const { wds, binding } = groups[0] ?? {};
  const see =
    wds && binding
      ? run(command`stellarctl policy get ${binding} --wds ${wds}`)
      : run(command`kubectl --context ${its} -n ${name} describe manifestwork ${first.name}`);
  const refusal = toEndRefusal(first.message, name, wec?.context, its);
  return wecProblem(
    refusal?.code ?? 'works-not-applied',
    `${count(failed.length, 'work')} could not be applied on ${name}: ${first.message}${begun(first.since, now)}.`,
    ...(refusal?.next ?? [see]),
  );
}

/** OCM's work agent reports a new add-on as not available until a later round of it: 77 s after the add-on was installed, as seen. */
const addonGraceMs = 120_000;

/** An add-on that reports itself as unavailable, or is missing; without a condition there is no evidence. */
function unavailableAddon(findings: WecFindings): Problem | undefined {
  const { contents, wec, name, its, lacksAddon, now } = findings;
  const addon = contents?.addons.find((each) => {
    const { status, lastTransitionTime = '' } = conditionOf(each, 'Available') ?? {};
    return status === 'False' && !(now - Date.parse(lastTransitionTime) < addonGraceMs);
  });
  if (addon === undefined && lacksAddon) {
    return wecProblem(
      'addon-missing',
      `The add-on ${statusAddon} is not installed on ${name}, so no status comes back from it.`,
      run(
        command`kubectl --context ${its} get clustermanagementaddon ${statusAddon} -o yaml`,
        'See which Placements install it',
      ),
    );
  }
  if (addon === undefined) return undefined;
  const { spec } = addon as WithConditions & { spec?: { installNamespace?: string } };
  const { message, reason } = conditionOf(addon, 'Available') ?? {};
  const found = `The add-on ${addon.metadata.name} of ${name} is not available: ${message ?? reason}.`;
  if (wec === undefined) return wecProblem('addon-unavailable', found, toSeeCluster(findings));
  const namespace = spec?.installNamespace ?? addonNamespace;
  return wecProblem(
    'addon-unavailable',
    found,
    run(
      command`kubectl --context ${wec.context} -n ${namespace} get deployments,pods`,
      'See what of it does not run',
    ),
  );
}

/** The versions that run on a WEC; the ITS does not know them. @param unseen why nothing of the WEC was read, if so */
export function wecVersions(
  wec: WecEvidence | undefined,
  unseen: string | undefined,
): RunningVersion[] {
  const { klusterlet, pods } = wec ?? {};
  const isHosted = klusterlet?.spec?.deployOption?.mode?.endsWith('Hosted');
  const unreadPods = isHosted
    ? 'it runs in another cluster'
    : pods === undefined
      ? mayNotReadPods
      : undefined;
  return runningVersions(wecPrograms(klusterlet), pods ?? [], unseen ?? unreadPods);
}

/** An agent of another minor version than its hub, or than its Klusterlet specifies. */
function agentVersionsApart({ wec, ocmOfHub, name, its }: WecFindings): Problem | undefined {
  if (wec === undefined) return undefined;
  const versions = wecVersions(wec, undefined);
  const [message] = wecApart({ name, versions, hubVersion: ocmOfHub ?? null });
  if (message === undefined) return undefined;
  const { operator } = wec;
  return wecProblem(
    'versions-apart',
    message,
    isOurs(operator)
      ? run(command`stellarctl wec upgrade ${`${name}=${wec.context}`} --its ${its}`, 'Upgrade it')
      : advice(`Change the version where the Klusterlet of ${name} was installed from`),
  );
}
