import { command } from '../../lib/core/next-step.ts';
import { count } from '../../lib/core/text/words.ts';
import type {
  HostingStatus,
  ItsStatus,
  SpaceStatus,
  StatusView,
  WdsStatus,
  WecStatus,
} from '../../lib/installation/status.ts';
import { holesIn } from '../../lib/ocm/versions/known-defects.ts';
import { products } from '../../lib/ocm/versions/program-versions.ts';
import {
  type RunningVersion,
  versionOfProduct,
  versionWords,
} from '../../lib/ocm/versions/running-versions.ts';
import type { SentCounts } from '../../lib/workloads/delivery/sent-counts.ts';
import type { Style } from '../terminal/style.ts';

/** A line of the tree, with the lines below it. */
interface TreeNode {
  title: string;
  facts: string[];
  children?: TreeNode[];
}

/**
 * Formats an installation as a tree of human-readable lines. The facts of all nodes are aligned in one column.
 * @param isWide also shows where everything is
 */
export function describeStatus(
  { hosting, itses, wdses }: StatusView,
  style: Style,
  isWide = false,
): string[] {
  const spaces = [
    ...itses.map((its) => itsNode(its, hosting !== null, style, isWide)),
    ...wdses.map((wds) => ({
      title: `WDS ${wds.name}`,
      facts: [...wdsFacts(wds, style), ...places(wds, isWide)],
    })),
  ];
  const roots: TreeNode[] =
    hosting === null
      ? spaces
      : [
          {
            title: hosting.name,
            facts: hostingFacts(hosting, spaces.length === 0, style, isWide),
            children: spaces,
          },
        ];
  const rows = roots.flatMap((root) => treeRows(root, '', ''));
  const width = Math.max(0, ...rows.map(({ head }) => head.length));
  return rows.map(({ head, facts }) => `${head.padEnd(width)}  ${facts.join(' · ')}`.trimEnd());
}

interface TreeRow {
  /** The branches and the title. */
  head: string;
  facts: string[];
}

/** @param branch prefix of the node itself @param trunk prefix of the nodes below it */
function treeRows(
  { title, facts, children = [] }: TreeNode,
  branch: string,
  trunk: string,
): TreeRow[] {
  const below = children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    return treeRows(
      child,
      `${trunk}${isLast ? '└─ ' : '├─ '}`,
      `${trunk}${isLast ? '   ' : '│  '}`,
    );
  });
  return [{ head: `${branch}${title}`, facts }, ...below];
}

/** @param problem whether a user must act; else it resolves by itself */
const marked = ({ bad, dot }: Style, problem: boolean, text: string) =>
  `${problem ? bad : dot} ${text}`;

function hostingFacts(hosting: HostingStatus, isEmpty: boolean, style: Style, isWide: boolean) {
  const { versions, hooksVersion, problem, reason, server } = hosting;
  return [
    ...versionFacts(versions, products.kubeFlex, style),
    ...(hooksVersion === null ? [] : [`KubeStellar hooks ${hooksVersion}`]),
    ...(reason === '' ? [] : [marked(style, problem, reason)]),
    ...(isEmpty ? ['no ITS and no WDS yet'] : []),
    ...(isWide ? [server] : []),
  ];
}

function itsNode(its: ItsStatus, isOfMany: boolean, style: Style, isWide: boolean): TreeNode {
  const { name, type, versions, wecs, ready } = its;
  const hasVersion = wecs !== null || versionOfProduct(products.ocm, versions) !== null;
  const facts = [
    ...(type === null && !isOfMany ? [] : [type ?? 'elsewhere']),
    ...(ready ? ['ready'] : []),
    ...stateFacts(its, style),
    ...(hasVersion ? versionFacts(versions, products.ocm, style) : []),
    ...(wecs?.length === 0 && ready ? ['no WECs yet'] : []),
    ...places(its, isWide),
  ];
  const children = (wecs ?? []).map((wec) => ({ title: wec.name, facts: wecFacts(wec, style) }));
  return { title: `ITS ${name}`, facts, children };
}

function wdsFacts(wds: WdsStatus, style: Style) {
  const { type, its, ready, bindingPolicies, objects, sentNowhere, versions, guarded } = wds;
  const unsent = sentNowhere && `${count(sentNowhere, 'policy', 'policies')} without a WEC`;
  const to = `→ ${its ?? 'an unknown ITS'}`;
  const counts = [
    ...(bindingPolicies === null
      ? []
      : [counted(bindingPolicies, 'binding policy', 'binding policies')]),
    ...(objects === null || bindingPolicies === 0 ? [] : [counted(objects, 'object')]),
  ];
  return [
    ...(type === null ? [] : [type]),
    ready ? `ready ${to}` : to,
    ...stateFacts(wds, style),
    ...versionFacts(versions, products.kubeStellar, style),
    ...(counts.length === 0 ? [] : [counts.join(', ')]),
    ...(unsent ? [marked(style, true, unsent)] : []),
    ...(guarded === null || objects === 0 ? [] : [guarded ? 'guarded' : 'no guard']),
  ];
}

/** The version of the main product, other versions that are not as they should be, and their known holes. */
const versionFacts = (versions: readonly RunningVersion[], main: string, style: Style) => [
  ...versionWords(versions.filter(({ product, differs }) => product === main || differs)),
  ...new Set(holesIn(versions).map(({ id }) => marked(style, true, id))),
];

const counted = (number: number, one: string, many?: string) =>
  number === 0 ? `no ${many ?? `${one}s`}` : count(number, one, many);

/** What keeps a space from being ready, or from being read. */
function stateFacts(
  { type, ready, stage, problem, reason, notVisible }: SpaceStatus,
  style: Style,
) {
  const isUnknown = type === null && notVisible !== undefined;
  const at = stage === null ? 'not observed' : `at ${stage}`;
  const waiting = reason === '' ? at : `${at}: ${reason}`;
  return [
    ...(isUnknown || ready ? [] : [marked(style, problem, problem ? reason : waiting)]),
    ...(notVisible === undefined || reason !== '' ? [] : [`? ${notVisible}`]),
  ];
}

function wecFacts({ state, problem, reason, workloads }: WecStatus, style: Style) {
  const sent = (workloads ?? []).map((counts) => sentFact(counts, style));
  if (problem) return [marked(style, true, reason || state), ...sent];
  return [reason === '' ? state : marked(style, false, `${state}: ${reason}`), ...sent];
}

/** As `wds1: 12 objects, 1 failed`. */
function sentFact({ wds, applied, failed, waiting }: SentCounts, style: Style) {
  const open = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ];
  const text = `${wds}: ${[count(applied + failed + waiting, 'object'), ...open].join(', ')}`;
  return open.length === 0 ? text : marked(style, failed > 0, text);
}

function places({ context, server }: SpaceStatus, isWide: boolean) {
  if (!isWide) return [];
  return [
    context === null ? 'no context' : `context ${context}`,
    ...(server === null ? [] : [server]),
  ];
}

/**
 * The next command for the user: one that shows why something is wrong, else one for a missing part.
 * @param hostingOption the hosting cluster as an option and its value, if it was given as one
 */
export function nextOf(
  { hosting, itses, wdses }: StatusView,
  hostingOption: readonly string[] = [],
): string | undefined {
  const brokenIts = itses.find(({ problem, type }) => problem && type !== null);
  const brokenWds = wdses.find(({ problem }) => problem);
  const unsent = wdses.find(({ sentNowhere }) => sentNowhere);
  const empty = itses.find(({ ready, wecs }) => ready && wecs?.length === 0);
  const steps = [
    hosting?.problem && command`stellarctl doctor --hosting-context ${hosting.name}`,
    brokenIts && command`stellarctl its get ${brokenIts.name} ${hostingOption}`,
    brokenWds && command`stellarctl wds get ${brokenWds.name} ${hostingOption}`,
    ...itses.flatMap(aboutWecs),
    unsent && command`stellarctl policy list --wds ${unsent.name} ${hostingOption}`,
    hosting !== null && itses.length === 0 && command`stellarctl its create its1 ${hostingOption}`,
    // If one ITS has WECs, another one may well be empty.
    empty &&
      !itses.some(({ wecs }) => wecs !== null && wecs.length > 0) &&
      command`stellarctl wec join NAME=CONTEXT --accept ${flagsOfIts(empty)}`,
    hosting !== null &&
      wdses.length === 0 &&
      itses.some(({ ready, type }) => ready && type !== null) &&
      command`stellarctl wds create wds1 ${hostingOption}`,
  ];
  return steps.find((step): step is string => typeof step === 'string');
}

function aboutWecs(its: ItsStatus) {
  const broken = its.wecs?.find(({ problem }) => problem);
  const pending = its.wecs?.find(({ requests }) =>
    requests?.some(({ state }) => state === 'pending'),
  );
  return [
    ...(broken === undefined
      ? []
      : [command`stellarctl wec get ${broken.name} ${flagsOfIts(its)}`]),
    ...(pending === undefined
      ? []
      : [command`stellarctl accept ${pending.name} ${flagsOfIts(its)}`]),
  ];
}

const flagsOfIts = ({ context }: ItsStatus) => (context === null ? [] : ['--its', context]);
