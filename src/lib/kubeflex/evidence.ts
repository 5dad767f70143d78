import type { Kube, Reader } from '../kube/client.ts';
import type { Deployment, Job, Pod, Secret, StatefulSet } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import { managerName, namespaceOf, type SpaceRole, systemNamespace } from './names.ts';
import type { ControlPlane } from './objects.ts';
import { typeOf } from './spaces.ts';

/** Everything that the hosting cluster shows of one space. */
export interface SpaceEvidence {
  name: string;
  role: SpaceRole;
  type: string;
  controlPlane: ControlPlane;
  jobs: readonly Job[];
  deployments: readonly Deployment[];
  statefulSets: readonly StatefulSet[];
  pods: readonly Pod[];
  /** KubeFlex's manager; looked at only while it has not said anything about the space. */
  manager: { deployment: Deployment | undefined; pods: readonly Pod[] } | undefined;
}

/** @returns undefined where there is no such control plane */
export async function readSpace(hosting: Reader, name: string, role: SpaceRole): Promise<SpaceEvidence | undefined> {
  const namespace = namespaceOf(name);
  const [controlPlane, jobs = [], deployments = [], statefulSets = [], pods = []] = await Promise.all([
    hosting.get<ControlPlane>(resources.controlPlanes, name),
    hosting.list<Job>(resources.jobs, { namespace }),
    hosting.list<Deployment>(resources.deployments, { namespace }),
    hosting.list<StatefulSet>(resources.statefulSets, { namespace }),
    hosting.list<Pod>(resources.pods, { namespace }),
  ]);
  if (controlPlane === undefined) return undefined;
  const type = typeOf(controlPlane);
  const manager = controlPlane.status?.conditions?.length ? undefined : await readManager(hosting);
  return { name, role, type, controlPlane, jobs, deployments, statefulSets, pods, manager };
}

async function readManager(hosting: Reader): Promise<NonNullable<SpaceEvidence['manager']>> {
  const namespace = systemNamespace;
  const [deployment, pods = []] = await Promise.all([
    hosting.get<Deployment>(resources.deployments, managerName, { namespace }),
    hosting.list<Pod>(resources.pods, { namespace }),
  ]);
  return { deployment, pods: pods.filter(({ metadata }) => metadata.name.startsWith(`${managerName}-`)) };
}

/** Whether KubeFlex has made the credentials of a space already. */
export async function hasCredentials(hosting: Kube, name: string, secretName: string): Promise<boolean> {
  return (await hosting.get<Secret>(resources.secrets, secretName, { namespace: namespaceOf(name) })) !== undefined;
}
