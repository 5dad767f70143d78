import type { ItsStatus, StatusView } from './view.ts';

/**
 * What a person would type next: what shows why something is wrong, else what is missing.
 * @param hostingOption the hosting cluster as an option, where it was given as one
 */
export function nextStep({ hosting, itses, wdses }: StatusView, hostingOption = ''): string | undefined {
  const brokenIts = itses.find(({ problem, type }) => problem && type !== null);
  const brokenWds = wdses.find(({ problem }) => problem);
  const empty = itses.find(({ ready, wecs }) => ready && wecs?.length === 0);
  const steps = [
    hosting?.problem && `stellarctl doctor --pre --hosting-context ${hosting.name}`,
    brokenIts && `stellarctl its get ${brokenIts.name}${hostingOption}`,
    brokenWds && `stellarctl wds get ${brokenWds.name}${hostingOption}`,
    ...itses.flatMap(aboutWecs),
    hosting !== null && itses.length === 0 && `stellarctl its create its1${hostingOption}`,
    // Where one ITS has WECs, another may well be empty.
    empty &&
      !itses.some(({ wecs }) => wecs !== null && wecs.length > 0) &&
      `stellarctl wec join NAME=CONTEXT --accept${itsOption(empty)}`,
    hosting !== null &&
      wdses.length === 0 &&
      itses.some(({ ready, type }) => ready && type !== null) &&
      `stellarctl wds create wds1${hostingOption}`,
  ];
  return steps.find((step): step is string => typeof step === 'string');
}

function aboutWecs(its: ItsStatus): string[] {
  const broken = its.wecs?.find(({ problem }) => problem);
  const pending = its.wecs?.find((wec) => wec.pending);
  return [
    ...(broken === undefined ? [] : [`stellarctl wec get ${broken.name}${itsOption(its)}`]),
    ...(pending === undefined ? [] : [`stellarctl accept ${pending.name}${itsOption(its)}`]),
  ];
}

const itsOption = ({ context }: ItsStatus): string => (context === null ? '' : ` --its ${context}`);
