import { type Problem, problem } from '../../core/next-step.ts';
import { compareVersions, findVersion } from '../../core/text/version.ts';
import type { PartialReader } from '../../kube/access.ts';
import { type Pod, resources } from '../../kube/client/objects.ts';
import { imageVersion, parseImage } from '../../kube/image.ts';

/** A program of an installation, and how to identify its pods. */
export interface RunningProgram {
  /** The name of its product for people: OCM, KubeStellar, … */
  product: string;
  /** Its Deployment or StatefulSet, whose name is the prefix of its pods' names. */
  component: string;
  /** The last path segment of its image. */
  image: string;
  /** The namespace of its pods; undefined if its name is unique among the pods that are read. */
  namespace?: string;
  wanted?: Wanted | undefined;
  /** Whether a version above the wanted one is as good: OCM is upgraded by itself. */
  mayBeNewer?: true;
  /** Omitted if it has no pod: not every installation has it. */
  isOptional?: true;
}

/** The wanted version: `1.0` stands for any 1.0.x. */
export interface Wanted {
  version: string;
  /** The source of the wanted version: `installed hooks`. */
  by: string;
}

/** The running versions of a program. The fields are an interface: docs/output.md. */
export interface RunningVersion {
  product: string;
  component: string;
  /** The tags of the images of its running containers, each once; empty if none is running, null if that is not visible. */
  running: string[] | null;
  /** Null if the wanted version is unknown. */
  wanted: Wanted | null;
  /** Whether a version other than the wanted one is running. */
  differs: boolean;
  /** Why it is not visible. */
  notVisible?: string;
}

/**
 * The running versions, by the images of running containers: the version in a Deployment, a Klusterlet or a chart may not be rolled
 * out, or not yet.
 * @param notVisible why there may be further pods; undefined if these are all
 */
export function runningVersions(
  programs: readonly RunningProgram[],
  pods: readonly Pod[],
  notVisible: string | undefined,
): RunningVersion[] {
  return programs.flatMap((program) => {
    const { product, component, wanted = null, isOptional, mayBeNewer } = program;
    const podsOfProgram = pods.filter((pod) => isPodOf(program, pod));
    if (podsOfProgram.length === 0 && isOptional) return [];
    const running =
      podsOfProgram.length === 0 && notVisible !== undefined
        ? null
        : versionsIn(program, podsOfProgram);
    const isAsWanted = (version: string, { version: minimum }: Wanted) =>
      isSameVersion(version, minimum) ||
      (mayBeNewer === true &&
        findVersion(version) !== undefined &&
        compareVersions(version, minimum) > 0);
    const differs =
      wanted !== null && running?.some((version) => !isAsWanted(version, wanted)) === true;
    const why = running === null ? { notVisible: notVisible ?? '' } : {};
    return [{ product, component, running, wanted, differs, ...why }];
  });
}

/** Why pods may be hidden from this user, by the errors of their reader. */
export const whyPodsHidden = ({ forbidden }: Pick<PartialReader, 'forbidden'>) =>
  forbidden.has(resources.pods.plural) ? mayNotReadPods : undefined;

export const mayNotReadPods = 'not allowed to read pods';

/** Pods that are being deleted are about to be replaced. */
const isPodOf = ({ component, image, namespace }: RunningProgram, { metadata, spec }: Pod) =>
  metadata.name.startsWith(`${component}-`) &&
  (namespace === undefined || metadata.namespace === namespace) &&
  metadata.deletionTimestamp === undefined &&
  spec?.containers?.some((container) => isImage(image, container.image)) === true;

const isImage = (name: string, reference: string | undefined) =>
  parseImage(reference ?? '')?.repository === name;

function versionsIn({ image }: RunningProgram, pods: readonly Pod[]) {
  const versions = pods.flatMap(({ spec, status }) =>
    (spec?.containers ?? [])
      .filter((container) => isImage(image, container.image))
      .filter(({ name }) =>
        status?.containerStatuses?.some((each) => each.name === name && each.state?.running),
      )
      .map((container) => imageVersion(container.image) ?? digestOf(container.image)),
  );
  return [...new Set(versions)].sort();
}

/** The identity of an image without a tag: `sha256:0123456789ab`; `latest` if it has no digest either. */
const digestOf = (reference = '') => /@(\w+:\w{12})/.exec(reference)?.[1] ?? 'latest';

const isSameVersion = (version: string, wanted: string) =>
  version === wanted || version.startsWith(`${wanted}.`);

/**
 * The running versions in words, one statement per product: `OCM 1.0.0`, `KubeStellar running 0.29.0, installed hooks 0.30.0`, `OCM
 * 1.3.1 (cluster-manager-placement-controller not running)`, `OCM unseen: not allowed to read pods`.
 */
export function versionWords(versions: readonly RunningVersion[]): string[] {
  return [...Map.groupBy(versions, ({ product }) => product)].map(([product, parts]) =>
    words(product, parts),
  );
}

/** What a part runs that is not of its wanted version, as a sentence; undefined if nothing is. */
export function versionsApart(
  name: string,
  versions: readonly RunningVersion[],
): string | undefined {
  const apart = versions.filter(({ differs }) => differs);
  return apart.length === 0 ? undefined : `${name} has ${versionWords(apart).join(', ')}.`;
}

/** The version of most components of a product. @returns null if it is not running, or not visible */
export function versionOfProduct(
  product: string,
  versions: readonly RunningVersion[],
): string | null {
  return mostFrequent(versions.filter((version) => version.product === product)) ?? null;
}

function words(product: string, versions: readonly RunningVersion[]) {
  const visible = versions.filter(({ running }) => running !== null);
  if (visible.length === 0) return `${product} not visible: ${versions[0]?.notVisible}`;
  const main = mostFrequent(visible);
  if (main === undefined) return `${product} not running`;
  const others = versions
    .filter(({ running }) => running?.length !== 1 || running[0] !== main)
    .map(otherWords);
  const text = others.length === 0 ? main : `${main} (${others.join(', ')})`;
  const { wanted } = versions.find(({ differs }) => differs) ?? {};
  return wanted
    ? `${product} running ${text}, ${wanted.by} ${wanted.version}`
    : `${product} ${text}`;
}

function otherWords({ component, running }: RunningVersion) {
  if (running === null) return `${component} unknown`;
  return `${component} ${running.length === 0 ? 'not running' : running.join(' and ')}`;
}

function mostFrequent(versions: readonly RunningVersion[]) {
  const all = versions.flatMap(({ running }) => running ?? []);
  const times = (version: string) => all.filter((each) => each === version).length;
  return all.toSorted((a, b) => times(b) - times(a))[0];
}

/** The running versions of one part of an installation. The fields are an interface: docs/output.md. */
interface PartVersions {
  name: string;
  versions: RunningVersion[];
}

/** The running versions of an installation, part by part. */
export interface InstalledVersions {
  hosting: (PartVersions & { hooksVersion: string | null }) | null;
  itses: readonly PartVersions[];
  wdses: readonly PartVersions[];
  /** Each with the OCM version of its ITS; null if that is unknown. */
  wecs: readonly WecVersions[];
}

type WecVersions = PartVersions & { hubVersion: string | null };

/** The parts without the WECs. */
export const partsOf = ({ hosting, itses, wdses }: InstalledVersions): PartVersions[] => [
  ...(hosting === null ? [] : [hosting]),
  ...itses,
  ...wdses,
];

/** As `1.3`; undefined for what is no version of that form, which is not compared. */
const minorOf = (version: string | null) => /^\d+\.\d+(?=\.)/.exec(version ?? '')?.[0];

/** What runs on a WEC that is not of its wanted version, or of another minor version than its hub, a sentence each. */
export function wecApart({ name, versions, hubVersion }: WecVersions): string[] {
  const minor = minorOf(hubVersion);
  const others = versions.filter(({ running }) =>
    running?.some((version) => (minorOf(version) ?? minor) !== (minor ?? minorOf(version))),
  );
  const found = `${name} has ${versionWords(others).join(', ')}; its ITS runs OCM ${hubVersion}.`;
  return [versionsApart(name, versions) ?? [], others.length === 0 ? [] : found].flat();
}

/** Versions that do not fit together: a part that does not run its wanted version, and agents of another minor version than their hub. */
export function versionSkews(installed: InstalledVersions): Problem[] {
  return [
    ...partsOf(installed).flatMap(({ name, versions }) => versionsApart(name, versions) ?? []),
    ...installed.wecs.flatMap(wecApart),
  ].map((message) => problem('versions-apart', message));
}
