import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AnyObject,
  type Bed,
  type ManifestWork,
  type Plane,
  type RunningWds,
  resources,
  runWds,
  startBed,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { Cli } from './harness.ts';
import { announce, registered } from './pretended-agents.ts';

/** The WECs that are accepted. */
export const accepted = ['w1', 'w2', 'w3', 'w4', 'w5'];
/** Its mailbox does not exist: the transport stops at it. It is the last one in the order in which the transport handles them. */
export const unaccepted = 'w6';
export const wdses = ['wds1', 'wds2'] as const;

/** The policy that sends probes; nothing that is tried concerns it. */
const probes = 'probes';

/** An object in the mailbox of a WEC. */
export interface Sent {
  uid: string;
  /** The object, as it is sent. */
  manifest: string;
}

type Observed = AnyObject & { status?: { observedGeneration?: number } };

/** What the mailboxes have, by WEC, policy and object: `w1 p1 (wds1) ConfigMap shop/a`. */
export type Mailboxes = ReadonlyMap<string, Sent>;

export const keyOf = (
  wec: string | null,
  policy: string | null,
  wds: string | null,
  { kind, namespace, name }: { kind: string; namespace?: string | null; name: string },
) => `${wec} ${policy} (${wds}) ${kind} ${namespace ? `${namespace}/` : ''}${name}`;

/** A hub with mailboxes whose works are applied as soon as they are seen, and two WDSes with KubeStellar's own controllers. */
export class ForecastBed {
  readonly cli: Cli;
  readonly #bed: Bed;
  readonly #its1: Plane;
  readonly #controllers: readonly RunningWds[];
  #probe = 0;

  private constructor(bed: Bed, cli: Cli, controllers: readonly RunningWds[]) {
    this.cli = cli;
    this.#bed = bed;
    this.#its1 = bed.plane('its1');
    this.#controllers = controllers;
  }

  static async start(): Promise<ForecastBed> {
    const bed = await startBed({
      planes: [{ name: 'its1', hub: true }, ...wdses.map((name) => ({ name }))],
    });
    const its1 = bed.plane('its1');
    const entries = bed.planes.map(({ kubeconfigEntry }) => kubeconfigEntry);
    const cli = await Cli.create(await writeKubeconfig(its1, entries));
    const controllers: RunningWds[] = [];
    for (const name of wdses) controllers.push(await runWds(bed.plane(name), its1, { rate: 100 }));
    const started = new ForecastBed(bed, cli, controllers);
    // The hub's webhooks may not answer yet.
    await until(
      async () =>
        announce(its1, unaccepted).then(
          () => true,
          () => false,
        ),
      unaccepted,
    );
    await Promise.all(accepted.map((name) => registered(its1, name)));
    for (const name of accepted)
      await its1.admin.patch(resources.managedClusters, name, {
        metadata: { labels: { probed: 'yes' } },
        // Nothing renews the Leases of WECs without an agent.
        spec: { leaseDurationSeconds: 86_400 },
      });
    return started;
  }

  wds(name: string) {
    return this.#bed.plane(name).admin;
  }

  label(wec: string, labels: Record<string, string>) {
    return this.#its1.admin.patch(resources.managedClusters, wec, { metadata: { labels } });
  }

  /** Lets a policy of each WDS send probes to all accepted WECs. */
  async startProbes(): Promise<void> {
    const spec = {
      clusterSelectors: [{ matchLabels: { probed: 'yes' } }],
      downsync: [{ objectSelectors: [{ matchLabels: { app: probes } }] }],
    };
    for (const wds of wdses) {
      await this.wds(wds).create(resources.namespaces, { metadata: { name: probes } });
      const policy = { metadata: { name: probes }, spec };
      await this.wds(wds).create(resources.bindingPolicies, policy as AnyObject);
    }
    await this.settle();
  }

  async #works(): Promise<ManifestWork[]> {
    return (await this.#its1.admin.list<ManifestWork>(resources.manifestWorks)).items;
  }

  /** What policies have sent, without probes. */
  async read(): Promise<Mailboxes> {
    return sentIn(await this.#works());
  }

  /**
   * Waits until a probe that is created now is in all mailboxes, from both WDSes, and nothing changes: what was changed before has had its
   * effect. Then agents apply what is there.
   */
  async settle(): Promise<Mailboxes> {
    this.#probe += 1;
    const name = `probe-${this.#probe}`;
    for (const wds of wdses) {
      const metadata = { namespace: probes, name, labels: { app: probes } };
      await this.wds(wds).create(resources.configMaps, { metadata });
      await this.wds(wds).delete(resources.configMaps, `${probes}/probe-${this.#probe - 1}`);
    }
    const arrived = async () => {
      const places = (await this.#works()).filter(({ spec }) =>
        spec.workload.manifests.some(({ metadata }) => metadata.name === name),
      );
      return places.length === accepted.length * wdses.length;
    };
    await until(arrived, `${name} in all mailboxes`);
    let last = '';
    await until(async () => {
      const isSeen = await this.#isSeen();
      const now = JSON.stringify([...(await this.read())].sort());
      const isQuiet = isSeen && now === last;
      last = now;
      if (!isQuiet) await sleep(600);
      return isQuiet;
    }, 'nothing changes');
    return this.#apply();
  }

  /** Whether KubeStellar has bound all policies as they are, and its transport has begun with all Bindings as they are. */
  async #isSeen(): Promise<boolean> {
    const lists = await Promise.all(
      wdses.flatMap((wds) =>
        [resources.bindingPolicies, resources.bindings].map((kind) =>
          this.wds(wds).list<Observed>(kind),
        ),
      ),
    );
    return lists
      .flatMap(({ items }) => items)
      .every(({ metadata, status }) => status?.observedGeneration === metadata.generation);
  }

  /** Reports, as agents do, that works are applied. */
  async #apply(): Promise<Mailboxes> {
    const works = await this.#works();
    const open = works.filter(
      ({ metadata, status }) => status?.conditions?.[0]?.observedGeneration !== metadata.generation,
    );
    await Promise.all(open.map((work) => this.#report(work)));
    return sentIn(works);
  }

  async #report({ metadata, spec }: ManifestWork) {
    const condition = {
      ...{ type: 'Applied', status: 'True', reason: 'AppliedManifestComplete', message: '' },
      lastTransitionTime: new Date().toISOString(),
      observedGeneration: metadata.generation,
    };
    const manifests = spec.workload.manifests.map(({ kind = '', metadata: of }, ordinal) => ({
      resourceMeta: { ordinal, kind, name: of.name, namespace: of.namespace ?? '' },
      conditions: [condition],
    }));
    const status = { conditions: [condition], resourceStatus: { manifests } };
    const key = `${metadata.namespace}/${metadata.name}`;
    const options = { subresource: 'status' } as const;
    // KubeStellar may have deleted it meanwhile.
    await this.#its1.admin
      .patch(resources.manifestWorks, key, { status }, options)
      .catch(() => undefined);
  }

  async stop(): Promise<void> {
    for (const each of this.#controllers) each.stop();
    await this.cli.remove();
    await this.#bed.stop();
  }
}

const sentIn = (works: readonly ManifestWork[]): Mailboxes =>
  new Map(
    works.flatMap(({ metadata, spec }) => {
      const {
        'transport.kubestellar.io/originOwnerReferenceBindingKey': policy,
        'transport.kubestellar.io/originWdsName': wds,
      } = metadata.labels ?? {};
      if (policy === undefined || policy === probes) return [];
      return spec.workload.manifests.map((manifest): [string, Sent] => [
        keyOf(metadata.namespace ?? '', policy, wds ?? '', {
          ...manifest.metadata,
          kind: manifest.kind ?? '',
        }),
        { uid: metadata.uid ?? '', manifest: JSON.stringify(manifest) },
      ]);
    }),
  );
