import { partialReader } from '../../kube/access.ts';
import type { Reader } from '../../kube/client/client.ts';
import {
  type Deployment,
  type Job,
  type Pod,
  resources,
  type StatefulSet,
} from '../../kube/client/objects.ts';
import {
  managerName,
  namespaceOf,
  type SpaceRole,
  systemNamespace,
} from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import { typeOf } from './spaces.ts';

/** The hosting cluster's evidence for one space. */
export type SpaceEvidence = NonNullable<Awaited<ReturnType<typeof readSpace>>>;

/** @returns undefined if there is no such control plane */
export async function readSpace(hosting: Reader, name: string, role: SpaceRole) {
  const namespace = namespaceOf(name);
  const readable = partialReader(hosting);
  const [controlPlane, jobs = [], deployments = [], statefulSets = [], pods = []] =
    await Promise.all([
      hosting.get<ControlPlane>(resources.controlPlanes, name),
      readable.list<Job>(resources.jobs, { namespace }),
      readable.list<Deployment>(resources.deployments, { namespace }),
      readable.list<StatefulSet>(resources.statefulSets, { namespace }),
      readable.list<Pod>(resources.pods, { namespace }),
    ]);
  if (controlPlane === undefined) return undefined;
  return {
    name,
    role,
    type: typeOf(controlPlane),
    /** The context of the hosting cluster. */
    hosting: hosting.cluster.context,
    controlPlane,
    jobs,
    deployments,
    statefulSets,
    pods,
    /** Plural names of the kinds in its namespace that the user may not read: they appear empty. */
    forbidden: readable.forbidden,
    /** KubeFlex's manager; read only while the space has no status from it. */
    manager: controlPlane.status?.conditions?.length ? undefined : await readManager(hosting),
    /** Of the hosting cluster's clock, milliseconds since the epoch. */
    now: hosting.now(),
  };
}

async function readManager(hosting: Reader) {
  const readable = partialReader(hosting);
  const namespace = systemNamespace;
  const [deployment, pods = []] = await Promise.all([
    readable.get<Deployment>(resources.deployments, managerName, { namespace }),
    readable.list<Pod>(resources.pods, { namespace }),
  ]);
  if (readable.forbidden.size > 0) return undefined;
  return {
    deployment,
    pods: pods.filter(({ metadata }) => metadata.name.startsWith(`${managerName}-`)),
  };
}
