import type { Kube } from '../kube/client.ts';
import type { SelectedContext } from '../kube/kubeconfig.ts';
import { accessSpace } from './access.ts';
import { readSpace, type SpaceEvidence } from './evidence.ts';
import { type InsideLook, lookInside } from './inside.ts';
import { type ItsInside, readItsInside } from './its-inside.ts';
import { itsStages } from './its-stages.ts';
import type { SpaceRole } from './names.ts';
import { apiServerRuns, type Space, type SpaceStage } from './space-stages.ts';
import { itsOfWds, listControlPlanes } from './spaces.ts';
import type { SpaceTools } from './tools.ts';
import { readWdsInside, type WdsInside, wdsStages } from './wds-stages.ts';

/** What one look at a space gives. */
export interface SpaceSeen<Inside> {
  space: Space<Inside>;
  stages: readonly SpaceStage<Inside>[];
}

/** Looks at spaces again and again, keeping the clients that it opens. */
export class SpaceWatcher {
  readonly #tools: SpaceTools;
  readonly #clients = new Map<string, Kube>();

  constructor(tools: SpaceTools) {
    this.#tools = tools;
  }

  /** @param known how to reach it, where that is known beforehand @returns undefined where there is no such control plane */
  async its(name: string, known?: SelectedContext): Promise<SpaceSeen<ItsInside> | undefined> {
    const seen = await this.#look(name, 'its', readItsInside, known);
    return seen && { space: seen, stages: itsStages(seen) };
  }

  async wds(name: string): Promise<SpaceSeen<WdsInside> | undefined> {
    const seen = await this.#look(name, 'wds', async (wds) => readWdsInside(wds, await this.#itsOf(name)));
    return seen && { space: seen, stages: wdsStages() };
  }

  /** The client by which a space was last seen from inside. */
  clientOf(name: string): Kube | undefined {
    return this.#clients.get(name);
  }

  async #look<Inside>(
    name: string,
    role: SpaceRole,
    read: (kube: Kube) => Promise<Inside>,
    known?: SelectedContext,
  ): Promise<Space<Inside> | undefined> {
    const evidence = await readSpace(this.#tools.hosting, name, role);
    return evidence && { ...evidence, look: await this.#inside(evidence, read, known) };
  }

  async #inside<Inside>(
    evidence: SpaceEvidence,
    read: (kube: Kube) => Promise<Inside>,
    known: SelectedContext | undefined,
  ): Promise<InsideLook<Inside>> {
    if (apiServerRuns(evidence).state !== 'met') return { state: 'not-yet', why: 'its API server does not run yet' };
    const { hosting, hostingContext, kubeconfig } = this.#tools;
    const access =
      known === undefined
        ? await accessSpace(hosting, hostingContext, evidence.controlPlane, kubeconfig)
        : { context: known };
    if ('unknown' in access)
      return { state: evidence.type === 'external' ? 'unknown' : 'not-yet', why: access.unknown };
    const client = this.#client(evidence.name, access.context);
    return lookInside(() => read(client));
  }

  /** The ITS that a WDS is bound to: the one it names, else the only one. */
  async #itsOf(wds: string): Promise<{ name: string; kube: Kube } | undefined> {
    const { hosting, hostingContext, kubeconfig } = this.#tools;
    const all = (await listControlPlanes(hosting)) ?? [];
    const its = itsOfWds(wds, all);
    if (its === undefined) return undefined;
    const access = await accessSpace(hosting, hostingContext, its, kubeconfig);
    const { name } = its.metadata;
    return 'context' in access ? { name, kube: this.#client(name, access.context) } : undefined;
  }

  #client(name: string, context: SelectedContext): Kube {
    const present = this.#clients.get(name);
    // The server or the credentials of a space may change while it comes up.
    if (present !== undefined && present.cluster.server === context.server) return present;
    const client = this.#tools.connect(context);
    this.#clients.set(name, client);
    return client;
  }
}
