import type { Pod } from '../../kube/objects.ts';
import type { LenientReader } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';
import { hubPrograms, wecPrograms } from '../../versions/programs.ts';
import { mayNotReadPods, type RunningVersion, runningVersions } from '../../versions/running.ts';
import { agentNamespace, hubNamespace } from '../names.ts';
import type { Klusterlet } from '../objects.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';

/** What runs on a WEC; the ITS knows nothing of it. @param unseen why nothing of it was seen, where that is so */
export function wecVersions(wec: WecEvidence | undefined, unseen: string | undefined): RunningVersion[] {
  const { klusterlet, pods } = wec ?? {};
  const blind = unseen ?? whereElse(klusterlet) ?? (pods === undefined ? mayNotReadPods : undefined);
  return runningVersions(wecPrograms(klusterlet), pods ?? [], blind);
}

/** Agents whose pods were not looked at. */
function whereElse(klusterlet: Klusterlet | undefined): string | undefined {
  const { deployOption, namespace = agentNamespace } = klusterlet?.spec ?? {};
  if (deployOption?.mode?.endsWith('Hosted')) return 'it runs in another cluster';
  return namespace === agentNamespace ? undefined : `namespace ${namespace} was not looked at`;
}

const unknownHooks = { controllerManager: undefined, transport: undefined, ocm: undefined, statusAddon: undefined };

/** The version of OCM that an ITS runs, as the newest of its controllers' pods; undefined where they may not be seen, or run elsewhere. */
export async function readOcmOfHub(hub: LenientReader): Promise<string | undefined> {
  const pods = (await hub.list<Pod>(resources.pods, { namespace: hubNamespace })) ?? [];
  return runningVersions(hubPrograms(unknownHooks), pods, undefined).flatMap(({ running }) => running ?? [])[0];
}
