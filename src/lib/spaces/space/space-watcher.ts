import {
  type Access,
  errorOf,
  hidden,
  ifSeen,
  partialReader,
  seen,
  through,
} from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { isTrue } from '../../kube/client/objects.ts';
import type { SelectedContext } from '../../kube/kubeconfig/kubeconfig.ts';
import { failureLog, firstPodFailure, toSeePod } from '../../kube/pods.ts';
import type { Its } from '../../ocm/hub/its.ts';
import { apiServerOf, hookNames, type SpaceRole } from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import {
  apiServerPrograms,
  type HookVersions,
  hubPrograms,
  wdsPrograms,
} from '../../ocm/versions/program-versions.ts';
import {
  type RunningVersion,
  runningVersions,
  whyPodsHidden,
} from '../../ocm/versions/running-versions.ts';
import { type Entrance, entranceOf } from '../hosting/entrance.ts';
import { readHostingConfig, type SpaceTools } from '../hosting/hosting.ts';
import { type ItsInside, itsStages, readItsInside } from './its-stages.ts';
import { reachSpace } from './space-access.ts';
import { apiServerRuns, type Space, type SpaceStage } from './space-stages.ts';
import { hooksOf, itsOfWds, listControlPlanes, readSpace, type SpaceEvidence } from './spaces.ts';
import { type ItsToRead, readWdsInside, type WdsInside, wdsStages } from './wds-stages.ts';

/** A space of either role. */
export type AnySpace = Space<ItsInside | WdsInside>;

/** One reading of a space. */
export interface SpaceReading {
  space: AnySpace;
  stages: readonly SpaceStage<ItsInside | WdsInside>[];
  /** A client that has read inside it. */
  kube: Kube | undefined;
}

/** Reads spaces repeatedly. */
export class SpaceWatcher {
  readonly #tools: SpaceTools;
  readonly #clients = new Map<string, Its>();

  constructor(tools: SpaceTools) {
    this.#tools = tools;
  }

  /**
   * Reads a space.
   * @param known.all the control planes, if they were just listed @param known.context its access, if already known
   * @returns undefined if there is no such control plane
   */
  async read(
    name: string,
    role: SpaceRole,
    known: { all?: readonly ControlPlane[]; context?: SelectedContext | undefined } = {},
  ): Promise<SpaceReading | undefined> {
    const evidence = await readSpace(this.#tools.hosting, name, role);
    if (evidence === undefined) return undefined;
    const { type, hosting } = evidence;
    const inside = await this.#inside(evidence, known.context, async (kube) =>
      role === 'its'
        ? // A space of type host is no context of its own.
          readItsInside(kube, type === 'host' ? hosting : kube.cluster.context)
        : readWdsInside(kube, await this.#itsOf(name, known.all)),
    );
    const space = { ...evidence, inside, entrance: await this.#entrance(evidence, inside) };
    const stages = role === 'its' ? itsStages(space) : wdsStages;
    return { space, stages, kube: this.#clients.get(name)?.kube };
  }

  /** The client of the last reading inside a space, and its context. */
  accessOf(name: string): Its | undefined {
    return this.#clients.get(name);
  }

  /** Tried only if the space does not answer. A proxy hides what answers. */
  async #entrance(
    { name, type }: SpaceEvidence,
    inside: Access<unknown>,
  ): Promise<Entrance | undefined> {
    const code = errorOf(inside)?.code;
    const { context } = this.#clients.get(name) ?? {};
    if (
      (code !== 'unreachable' && code !== 'tls-error') ||
      apiServerOf[type] === undefined ||
      !context
    )
      return undefined;
    const hosting = partialReader(this.#tools.hosting);
    return entranceOf(context, hosting, await readHostingConfig(hosting));
  }

  async #inside<Inside>(
    evidence: SpaceEvidence,
    known: SelectedContext | undefined,
    read: (kube: Kube) => Promise<Inside>,
  ): Promise<Access<Inside>> {
    const server = apiServerRuns(evidence).state;
    if (server === 'waiting' || server === 'failed')
      return { state: 'absent', why: 'its API server does not run yet' };
    const access = known === undefined ? await this.#access(evidence.controlPlane) : seen(known);
    return through(access, (context) => read(this.#client(evidence.name, context)));
  }

  /** The ITS of a WDS: the one that it names, else the only one. */
  async #itsOf(wds: string, known?: readonly ControlPlane[]): Promise<ItsToRead | undefined> {
    const its = itsOfWds(wds, known ?? (await listControlPlanes(this.#tools.hosting)));
    if (its === undefined) return undefined;
    const context = ifSeen(await this.#access(its));
    const { name } = its.metadata;
    return context && { name, isReady: isTrue(its, 'Ready'), kube: this.#client(name, context) };
  }

  /** Users who may not read a space's Secret, and have no context of it, see only the hosting cluster's evidence. */
  async #access(controlPlane: ControlPlane): Promise<Access<SelectedContext>> {
    const access = await reachSpace(controlPlane, this.#tools);
    if (access.state !== 'hidden' || access.error === undefined) return access;
    if (access.error.code === 'forbidden') return hidden('this user may not read how to reach it');
    throw access.error;
  }

  #client(name: string, context: SelectedContext): Kube {
    const kube = this.#tools.connect(context);
    this.#clients.set(name, { context, kube });
    return kube;
  }
}

/**
 * The cause of a failed stage: the failing pod, which may be inside the space, the end of its log, and commands that show more of it.
 */
export async function failureOfStage(
  id: string,
  { space, stages, kube: inside }: SpaceReading,
  hosting: Kube,
) {
  const stage = stages.find((candidate) => candidate.id === id);
  const outside = firstPodFailure(stage?.podsOf?.(space) ?? []);
  const podsInside =
    space.inside.state === 'seen' ? (stage?.podsInside?.(space.inside.value) ?? []) : [];
  const failure = outside ?? firstPodFailure(podsInside);
  const kube = outside === undefined ? inside : hosting;
  // A space of type host is no context of its own.
  const at = space.type === 'host' ? hosting : kube;
  return {
    failure,
    log: failure === undefined || kube === undefined ? [] : await failureLog(kube, failure),
    next: failure === undefined || at === undefined ? [] : toSeePod(at.cluster.context, failure),
  };
}

/** The hooks that install OCM. Without them, another program manages OCM, and any version may be correct. */
const ocmHooks: readonly string[] = [hookNames.hubInit, 'its-with-clusteradm'];

/**
 * The running versions of an ITS: its API server on the hosting cluster, OCM and the status add-on inside it. The pods of a
 * vcluster also exist on the hosting cluster, under names with the same prefix, and are read there if the ITS does not answer.
 */
export function itsVersions(
  evidence: Pick<SpaceEvidence, 'type' | 'pods' | 'forbidden'> & Partial<SpaceEvidence>,
  access: Access<Pick<ItsInside, 'hubPods' | 'forbidden'>>,
  hooks: HookVersions,
): RunningVersion[] {
  const { type, pods, controlPlane } = evidence;
  const bringsOcm =
    controlPlane !== undefined && hooksOf(controlPlane).some((hook) => ocmHooks.includes(hook));
  const inside = access.state === 'seen' ? access.value.hubPods : [];
  const notVisible = access.state === 'seen' ? whyPodsHidden(access.value) : access.why;
  return [
    ...runningVersions(
      hubPrograms(bringsOcm ? hooks : { ...hooks, ocm: undefined }),
      [...inside, ...pods],
      notVisible,
    ),
    ...runningVersions(apiServerPrograms(type), pods, whyPodsHidden(evidence)),
  ];
}

/** The running versions of a space. */
export const spaceVersions = (space: AnySpace, hooks: HookVersions): RunningVersion[] =>
  space.role === 'its'
    ? itsVersions(space, space.inside as Access<ItsInside>, hooks)
    : wdsVersions(space, hooks);

/** The running versions of a WDS, all on the hosting cluster: KubeStellar's controllers, and its API server. */
export function wdsVersions(evidence: SpaceEvidence, hooks: HookVersions): RunningVersion[] {
  const programs = [...wdsPrograms(hooks), ...apiServerPrograms(evidence.type)];
  return runningVersions(programs, evidence.pods, whyPodsHidden(evidence));
}
