import { command } from '../core/command-line.ts';
import type { ItsStatus, StatusView } from './status-view.ts';

/**
 * The next command for the user: one that shows why something is wrong, else one for a missing part.
 * @param hostingOption the hosting cluster as an option and its value, if it was given as one
 */
export function nextStep(
  { hosting, itses, wdses }: StatusView,
  hostingOption: readonly string[] = [],
): string | undefined {
  const brokenIts = itses.find(({ problem, type }) => problem && type !== null);
  const brokenWds = wdses.find(({ problem }) => problem);
  const empty = itses.find(({ ready, wecs }) => ready && wecs?.length === 0);
  const steps = [
    hosting?.problem && command`stellarctl doctor --hosting-context ${hosting.name}`,
    [...itses, ...wdses].find(({ contextProblem }) => contextProblem?.next)?.contextProblem?.next,
    itses.find(({ problem, webhook }) => problem && webhook?.next)?.webhook?.next,
    brokenIts && command`stellarctl its get ${brokenIts.name} ${hostingOption}`,
    brokenWds && command`stellarctl wds get ${brokenWds.name} ${hostingOption}`,
    ...itses.flatMap(aboutWecs),
    ...wdses.flatMap(({ name, failedPolicies }) =>
      (failedPolicies ?? []).map(
        (policy) => command`stellarctl policy get ${policy.name} --wds ${name} ${hostingOption}`,
      ),
    ),
    ...wdses.flatMap(({ name, problems }) =>
      problems.length === 0 ? [] : command`stellarctl policy list --wds ${name} ${hostingOption}`,
    ),
    hosting !== null && itses.length === 0 && command`stellarctl its create its1 ${hostingOption}`,
    // If one ITS has WECs, another one may well be empty.
    empty &&
      !itses.some(({ wecs }) => wecs !== null && wecs.length > 0) &&
      command`stellarctl wec join NAME=CONTEXT --accept ${itsOption(empty)}`,
    hosting !== null &&
      wdses.length === 0 &&
      itses.some(({ ready, type }) => ready && type !== null) &&
      command`stellarctl wds create wds1 ${hostingOption}`,
  ];
  return steps.find((step): step is string => typeof step === 'string');
}

function aboutWecs(its: ItsStatus): string[] {
  const broken = its.wecs?.find(({ problem }) => problem);
  const pending = its.wecs?.find((wec) => wec.pending);
  return [
    ...(broken === undefined ? [] : [command`stellarctl wec get ${broken.name} ${itsOption(its)}`]),
    ...(pending === undefined ? [] : [command`stellarctl accept ${pending.name} ${itsOption(its)}`]),
  ];
}

const itsOption = ({ context }: ItsStatus): string[] => (context === null ? [] : ['--its', context]);
