import { imageVersion, parseImage } from '../kube/image.ts';
import type { Pod } from '../kube/objects.ts';
import type { LenientReader } from '../kube/permissive-reader.ts';
import { resources } from '../kube/resources.ts';

/** A program of an installation, and by what its pods are known. */
export interface Program {
  /** What people call the whole that it is a part of: OCM, KubeStellar, … */
  product: string;
  /** Its Deployment or StatefulSet, whose name its pods begin with. */
  component: string;
  /** The last part of its image's name. */
  image: string;
  /** Of its pods; undefined where none of the pods that are looked at are of another one by that name. */
  namespace?: string;
  wanted?: Wanted | undefined;
  /** It is left out where it has no pod: not every installation has it. */
  isOptional?: true;
}

/** The version that there should be: `1.0` means any 1.0.x. */
export interface Wanted {
  version: string;
  /** Who says so: `installed hooks`. */
  by: string;
}

/** What runs of a program. The fields are an interface: docs/output.md. */
export interface RunningVersion {
  product: string;
  component: string;
  /** The tags of the images of its running containers, each once; empty where none runs, null where that cannot be seen. */
  running: string[] | null;
  /** Null where nobody says which version there should be. */
  wanted: Wanted | null;
  /** Whether a version runs that is not the wanted one. */
  differs: boolean;
  /** Why it cannot be seen. */
  notVisible?: string;
}

/**
 * Which versions run, by the images of containers that are running: what a Deployment, a Klusterlet or a chart asks for may not have
 * come to be, or not yet.
 * @param blind why there may be pods beside these; undefined where these are all
 */
export function runningVersions(
  programs: readonly Program[],
  pods: readonly Pod[],
  blind: string | undefined,
): RunningVersion[] {
  return programs.flatMap((program) => {
    const { product, component, wanted = null, isOptional } = program;
    const own = pods.filter((pod) => isOf(program, pod));
    if (own.length === 0 && isOptional) return [];
    const running = own.length === 0 && blind !== undefined ? null : versionsIn(program, own);
    const differs = wanted !== null && running?.some((version) => !isSame(version, wanted.version)) === true;
    return [{ product, component, running, wanted, differs, ...(running === null ? { notVisible: blind ?? '' } : {}) }];
  });
}

/** Why pods may be hidden from this user, by what the reader of them met. */
export const blindness = ({ forbidden }: Pick<LenientReader, 'forbidden'>): string | undefined =>
  forbidden.has(resources.pods.plural) ? mayNotReadPods : undefined;

export const mayNotReadPods = 'not allowed to read pods';

/** Pods that are being deleted make way for others. */
const isOf = ({ component, image, namespace }: Program, { metadata, spec }: Pod): boolean =>
  metadata.name.startsWith(`${component}-`) &&
  (namespace === undefined || metadata.namespace === namespace) &&
  metadata.deletionTimestamp === undefined &&
  spec?.containers?.some((container) => isImage(image, container.image)) === true;

const isImage = (name: string, reference: string | undefined): boolean =>
  parseImage(reference ?? '')?.repository === name;

function versionsIn({ image }: Program, pods: readonly Pod[]): string[] {
  const versions = pods.flatMap(({ spec, status }) =>
    (spec?.containers ?? [])
      .filter((container) => isImage(image, container.image))
      .filter(({ name }) => status?.containerStatuses?.some((each) => each.name === name && each.state?.running))
      .map((container) => imageVersion(container.image) ?? digestOf(container.image)),
  );
  return [...new Set(versions)].sort();
}

/** What an image without a tag is known by: `sha256:0123456789ab`; `latest` where it has no digest either. */
const digestOf = (reference = ''): string => /@(\w+:\w{12})/.exec(reference)?.[1] ?? 'latest';

const isSame = (version: string, wanted: string): boolean => version === wanted || version.startsWith(`${wanted}.`);
