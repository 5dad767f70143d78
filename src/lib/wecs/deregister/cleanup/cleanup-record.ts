import type { Kube } from '../../../kube/client/client.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resources.ts';
import { agentNamespace, operatorNamespace } from '../../../model/ocm-names.ts';

/**
 * The record that is written to the cluster before its ManagedCluster and its Klusterlet are deleted: the proof of identity is
 * deleted with them, and the next run must be able to finish an interrupted one. The record is deleted with its namespace, which is deleted last.
 */
const recordAnnotation = 'stellarctl.kubestellar.io/clean-up';

export interface CleanupRecord {
  /** The WEC's name. */
  name: string;
  /** Identifies the ITS, see hubId; null if the clean-up ran without an ITS. */
  hub: string | null;
  /** Identifies the AppliedManifestWorks of this registration; null if the agent had no hub yet. */
  hubHash: string | null;
}

export async function readCleanupRecord(wec: Kube): Promise<CleanupRecord | undefined> {
  return (await holdersOn(wec)).map((holder) => parseRecord(noteOn(holder))).find((record) => record !== undefined);
}

export async function writeCleanupRecord(wec: Kube, record: CleanupRecord): Promise<void> {
  const text = JSON.stringify(record);
  const [holder] = await holdersOn(wec);
  if (holder !== undefined && noteOn(holder) !== text) await note(wec, holder, text);
}

/** Removes the record if the namespace stays because others use it. */
export async function removeCleanupRecord(wec: Kube): Promise<void> {
  for (const holder of await holdersOn(wec)) if (noteOn(holder) !== undefined) await note(wec, holder, null);
}

/** The namespaces that may hold it, starting with the one that is deleted last. */
async function holdersOn(wec: Kube): Promise<KubeObject[]> {
  const names = [operatorNamespace, agentNamespace];
  const found = await Promise.all(names.map((name) => wec.get(resources.namespaces, name)));
  return found.filter((namespace) => namespace !== undefined);
}

const noteOn = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.[recordAnnotation];

const note = (wec: Kube, { metadata: { name, uid } }: KubeObject, text: string | null): Promise<unknown> =>
  wec.merge(resources.namespaces, name, { metadata: { uid, annotations: { [recordAnnotation]: text } } });

function parseRecord(text = ''): CleanupRecord | undefined {
  try {
    const { name, hub = null, hubHash = null } = JSON.parse(text) as Partial<CleanupRecord>;
    return typeof name === 'string' ? { name, hub, hubHash } : undefined;
  } catch {
    return undefined;
  }
}
