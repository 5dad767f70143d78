import { command } from '../core/command-line.ts';
import { count } from '../core/counts.ts';
import { StellarError } from '../core/errors.ts';
import { advice, type NextStep, partial, run } from '../core/next-step.ts';
import type { Kube, Reader } from '../kube/client/client.ts';
import { describeCluster } from '../kube/client/errors.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import { type Resource, resources } from '../kube/client/resources.ts';
import { partialReader } from '../kube/partial-reader.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import type { Klusterlet } from '../ocm/ocm-objects.ts';
import { type AppliedManifestWork, hubHash } from '../workloads/applied-works.ts';

/** What a cluster evidently is, if it is not a cluster to register. */
export interface OtherRole {
  kind: 'hub' | 'hosting' | 'wds' | 'no-nodes' | 'hosted';
  /** A clause, such as `it is an OCM hub`. */
  found: string;
  /** The control planes of a hosting cluster. */
  spaces?: ControlPlane[];
}

/** Whether no pod of a klusterlet ever runs in it. */
export const runsNoPods = ({ kind }: OtherRole): boolean => kind === 'wds' || kind === 'no-nodes';

/** As far as this user may read it. @param ownHubs the servers of the ITS: works that it has left there are no evidence */
export const otherRole = (kube: Kube, ownHubs: readonly string[] = []): Promise<OtherRole | undefined> =>
  readRole(partialReader(kube), ownHubs);

/**
 * What a cluster without its own Klusterlet evidently is, before it is joined or deleted as a WEC. A hub in Hosted mode has its
 * Klusterlets in another cluster; only their works show then. Its own pods are no evidence: they may not have started yet.
 * @param list reads a kind that a CustomResourceDefinition adds; undefined if it is not served
 * @returns undefined if nothing shows it
 */
export async function readRole(
  reader: Reader,
  ownHubs: readonly string[] = [],
  list = <T extends KubeObject>(resource: Resource) => reader.list<T>(resource),
): Promise<OtherRole | undefined> {
  const [spaces, managers, policies, nodes, allWorks] = await Promise.all([
    list<ControlPlane>(resources.controlPlanes),
    list(resources.clusterManagers),
    list(resources.bindingPolicies),
    reader.list(resources.nodes, { metadataOnly: true }),
    list<AppliedManifestWork>(resources.appliedManifestWorks),
  ]);
  // If the kind is served, KubeFlex is installed, with or without control planes.
  if (spaces !== undefined) return { kind: 'hosting', found: 'it is a hosting cluster of ITSes and WDSes', spaces };
  if (managers?.length) return { kind: 'hub', found: 'it is an OCM hub' };
  if (policies !== undefined) return { kind: 'wds', found: 'it is a WDS: it serves BindingPolicies' };
  if (nodes?.length === 0) return { kind: 'no-nodes', found: 'it has no nodes, so no pod could ever run in it' };
  const own = ownHubs.map(hubHash);
  const works = allWorks?.filter(({ spec }) => !own.includes(spec?.hubHash ?? '')).length;
  return works ? { kind: 'hosted', found: `it has no Klusterlet, and ${count(works, 'work')} of a hub` } : undefined;
}

/** @param klusterlet in the cluster itself @throws StellarError `registered-elsewhere` */
export function refuseRole(
  { cluster }: Kube,
  name: string,
  { kind, found }: OtherRole,
  klusterlet?: Klusterlet,
): never {
  const present = klusterlet === undefined ? [] : [removeKlusterlet(cluster.context, klusterlet)];
  const give = partial(command`stellarctl wec join ${`${name}=CONTEXT`}`, `Give the context of ${name}`);
  const scaling = 'If its nodes are added when a pod needs one: start a pod in it first, then rerun the command';
  throw new StellarError(
    'registered-elsewhere',
    `${describeCluster(cluster)} is not a cluster to register: ${found}. ${name} was not joined.`,
    { next: [...present, give, ...(kind === 'no-nodes' ? [advice(scaling)] : [])] },
  );
}

/** For a klusterlet in a cluster where no pod of it ever runs. */
export const removeKlusterlet = (context: string, { spec, metadata }: Klusterlet): NextStep =>
  run(
    command`stellarctl deregister --local ${`${spec?.clusterName ?? metadata.name}=${context}`}`,
    'An earlier version has installed a klusterlet in it. Remove it',
  );
