import { tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { namespaceOf, type SpaceRole, systemNamespace } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import { addonNamespace, agentNamespace, hubNamespace, operatorNamespace } from '../ocm/ocm-names.ts';
import { openSpace } from '../spaces/space-access.ts';
import type { SpaceTools } from '../spaces/space-tools.ts';
import { listControlPlanes, roleOf } from '../spaces/spaces.ts';
import type { DoctorInput } from './doctor.ts';

/** The role of a cluster in an installation. */
export type Role = 'hosting' | SpaceRole | 'wec';

/** A cluster to read from. */
export interface Target {
  /** Its name for people. */
  name: string;
  kube: Kube;
  /** One cluster may have several roles. */
  roles: Set<Role>;
  /** The namespaces of its programs. */
  namespaces: Set<string>;
}

/** A part that is not available, and why. */
export interface Missing {
  cluster: string;
  what: string;
  why: string;
}

const namespacesOf: Record<Role, readonly string[]> = {
  hosting: [systemNamespace],
  its: [operatorNamespace, hubNamespace],
  wds: [],
  wec: [operatorNamespace, agentNamespace, addonNamespace],
};

/** The clusters of an installation that have a known access, each once. */
export async function findTargets({ spaces, its, isItsAssumed, wecs }: DoctorInput) {
  const missing: Missing[] = [];
  const byServer = new Map<string, Target>();
  const add = (name: string, role: Role, kube: Kube, namespaces: readonly string[] = []) => {
    const { server } = kube.cluster;
    const target = byServer.get(server) ?? { name, kube, roles: new Set(), namespaces: new Set() };
    byServer.set(server, target);
    target.roles.add(role);
    for (const namespace of [...namespacesOf[role], ...namespaces]) target.namespaces.add(namespace);
  };
  const all = spaces && (await controlPlanesOf(spaces));
  // The current context may be the one of an ITS, or of the hosting cluster.
  if (spaces !== undefined && all !== undefined) {
    const spaceNamespaces = all.map(({ metadata }) => namespaceOf(metadata.name));
    add(spaces.hosting.cluster.context, 'hosting', spaces.hosting, spaceNamespaces);
    const accesses = await Promise.all(all.map((controlPlane) => openSpace(controlPlane, spaces)));
    for (const [index, access] of accesses.entries()) {
      const controlPlane = all[index] as ControlPlane;
      const { name } = controlPlane.metadata;
      const role = roleOf(controlPlane);
      if (role === undefined) continue;
      if (access.state === 'seen') add(name, role, access.value);
      else missing.push({ cluster: name, what: 'everything', why: access.why });
    }
  }
  if (its !== undefined && !(isItsAssumed && all?.length)) add(its.kube.cluster.context, 'its', its.kube);
  for (const { name, kube } of wecs)
    if (kube !== undefined) add(name, 'wec', kube);
    else missing.push({ cluster: name, what: 'everything', why: 'no context of the WEC was given' });
  return { targets: [...byServer.values()], missing };
}

/** Errors are recorded when the cluster itself is read. @returns undefined for a cluster that is not a hosting cluster */
async function controlPlanesOf({ hosting }: SpaceTools): Promise<readonly ControlPlane[] | undefined> {
  const listed = await tryRead(() => listControlPlanes(hosting));
  return listed.state === 'seen' ? listed.value : [];
}
