import { command } from '../core/command-line.ts';
import { count } from '../core/counts.ts';
import { products } from '../ocm/program-versions.ts';
import { type RunningVersion, versionWords } from '../ocm/running-versions.ts';
import type { SentCounts } from '../workloads/sent-counts.ts';
import { namesOfPolicies } from '../workloads/workload-checks.ts';
import type { HostingStatus, ItsStatus, SpaceStatus, StatusView, WdsStatus, WecStatus } from './status-view.ts';

/** A line of the tree, with the lines below it. */
export interface TreeNode {
  title: string;
  facts: Fact[];
  children: TreeNode[];
}

/** A fact about a node, and its mark. */
export interface Fact {
  text: string;
  mark?: Mark;
}

/** bad: a user must act; busy: it resolves by itself; unseen: unknown. */
type Mark = 'bad' | 'busy' | 'unseen';

/** An installation as a tree. @param wide also shows where everything is */
export function treeOf({ hosting, itses, wdses }: StatusView, wide = false): TreeNode[] {
  const spaces = [
    ...itses.map((its) => itsNode(its, hosting !== null, wide)),
    ...wdses.map((wds) => node(`WDS ${wds.name}`, [...wdsFacts(wds), ...places(wds, wide)])),
  ];
  if (hosting === null) return spaces;
  return [node(hosting.name, hostingFacts(hosting, spaces.length === 0, wide), spaces)];
}

const node = (title: string, facts: Fact[], children: TreeNode[] = []): TreeNode => ({ title, facts, children });
const plain = (text: string): Fact[] => [{ text }];
const marked = (mark: Mark, text: string): Fact[] => [{ mark, text }];

function hostingFacts(hosting: HostingStatus, isEmpty: boolean, wide: boolean): Fact[] {
  const { versions, hooksVersion, problem, reason, server } = hosting;
  return [
    ...versionFacts(versions, products.kubeFlex),
    ...(hooksVersion === null ? [] : plain(`KubeStellar hooks ${hooksVersion}`)),
    ...(reason === '' ? [] : marked(problem ? 'bad' : 'busy', reason)),
    ...(isEmpty ? plain('no ITS and no WDS yet') : []),
    ...(wide ? plain(server) : []),
  ];
}

function itsNode(its: ItsStatus, isOfMany: boolean, wide: boolean): TreeNode {
  const { name, type, versions, wecs } = its;
  const facts = [
    ...(type === null && !isOfMany ? [] : plain(type ?? 'elsewhere')),
    ...state(its, its.ready ? 'ready' : ''),
    ...(wecs === null && its.ocmVersion === null ? [] : versionFacts(versions, products.ocm)),
    ...(wecs?.length === 0 && its.ready ? plain('no WECs yet') : []),
    ...places(its, wide),
  ];
  const children = (wecs ?? []).map((wec) => node(wec.name, wecFacts(wec)));
  return node(`ITS ${name}`, facts, children);
}

function wdsFacts(wds: WdsStatus): Fact[] {
  const { type, its, ready, bindingPolicies, failedPolicies, objects, versions, problems, guarded } = wds;
  const to = `→ ${its ?? 'an unknown ITS'}`;
  const counts = [
    ...(bindingPolicies === null ? [] : [counted(bindingPolicies, 'binding policy', 'binding policies')]),
    ...(objects === null || bindingPolicies === 0 ? [] : [counted(objects, 'object')]),
  ];
  return [
    ...plain(type ?? ''),
    ...state(wds, ready ? `ready ${to}` : to),
    ...versionFacts(versions, products.kubeStellar),
    ...(counts.length === 0 ? [] : plain(counts.join(', '))),
    ...(guarded === null || objects === 0 ? [] : plain(guarded ? 'guarded' : 'no guard')),
    ...[...Map.groupBy(failedPolicies ?? [], ({ why }) => why)].flatMap(([why, all]) =>
      marked('bad', `${namesOfPolicies(all.map(({ name }) => name))}: ${why}`),
    ),
    ...problems.flatMap(({ problem }) => marked('bad', problem)),
  ];
}

/** The version of the main product, and other versions that are not as they should be. */
function versionFacts(versions: readonly RunningVersion[], main: string): Fact[] {
  const worth = versions.filter(({ product, differs }) => product === main || differs);
  return versionWords(worth).flatMap(plain);
}

const counted = (number: number, one: string, many?: string): string =>
  number === 0 ? `no ${many ?? `${one}s`}` : count(number, one, many);

/** The state of a space. @param text shown in any case */
function state({ type, ready, stage, problem, reason, notVisible, contextProblem }: SpaceStatus, text: string): Fact[] {
  const isUnknown = type === null && notVisible !== undefined;
  return [
    ...(text === '' ? [] : plain(text)),
    ...(isUnknown || (ready && contextProblem === undefined) ? [] : progress(stage, problem, reason)),
    ...(notVisible === undefined || reason !== '' ? [] : marked('unseen', notVisible)),
  ];
}

function progress(stage: string | null, problem: boolean, reason: string): Fact[] {
  if (problem) return marked('bad', reason);
  return marked(
    'busy',
    [stage === null ? 'not observed' : `at ${stage}`, reason].filter((part) => part !== '').join(': '),
  );
}

function wecFacts({ state, problem, reason, workloads }: WecStatus): Fact[] {
  const sent = (workloads ?? []).map(sentFact);
  if (problem) return [...marked('bad', reason || state), ...sent];
  return [...(reason === '' ? plain(state) : marked('busy', `${state}: ${reason}`)), ...sent];
}

/** As `wds1: 12 objects, 1 failed`. */
function sentFact({ wds, applied, failed, waiting }: SentCounts): Fact {
  const open = [...(failed > 0 ? [`${failed} failed`] : []), ...(waiting > 0 ? [`${waiting} waiting`] : [])];
  const text = `${wds}: ${[count(applied + failed + waiting, 'object'), ...open].join(', ')}`;
  return { text, ...(failed > 0 ? { mark: 'bad' } : waiting > 0 ? { mark: 'busy' } : {}) };
}

function places({ context, server }: SpaceStatus, wide: boolean): Fact[] {
  if (!wide) return [];
  return [...plain(context === null ? 'no context' : `context ${context}`), ...(server === null ? [] : plain(server))];
}

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
