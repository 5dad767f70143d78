import type { Kube } from '../../../kube/client/client.ts';
import { resources } from '../../../kube/resources.ts';
import { agentNamespace, operatorNamespace } from '../../names.ts';

/**
 * What a clean-up notes on the cluster before its first deletion: with the Klusterlet the proof of its identity goes as well, and an
 * interrupted run is to be finished by the next one. The note goes with the namespace that holds it, which is deleted last.
 */
const recordAnnotation = 'stellarctl.kubestellar.io/clean-up';

export interface CleanUpRecord {
  /** The WEC's name. */
  name: string;
  /** Identifies the ITS, see hubId; null where the clean-up did without one. */
  hub: string | null;
  /** By which AppliedManifestWorks of this registration are known; null where the agent had no hub yet. */
  hubHash: string | null;
}

/** What is deleted last is named first. */
const holders = [operatorNamespace, agentNamespace];

export async function readCleanUpRecord(wec: Kube): Promise<CleanUpRecord | undefined> {
  for (const holder of holders) {
    const text = (await wec.get(resources.namespaces, holder))?.metadata.annotations?.[recordAnnotation];
    const record = text === undefined ? undefined : parseRecord(text);
    if (record !== undefined) return record;
  }
  return undefined;
}

export async function writeCleanUpRecord(wec: Kube, record: CleanUpRecord): Promise<void> {
  const annotations = { [recordAnnotation]: JSON.stringify(record) };
  for (const holder of holders) {
    const namespace = await wec.get(resources.namespaces, holder);
    if (namespace === undefined) continue;
    if (namespace.metadata.annotations?.[recordAnnotation] === annotations[recordAnnotation]) return;
    await wec.merge(resources.namespaces, holder, { metadata: { uid: namespace.metadata.uid, annotations } });
    return;
  }
}

/** Removes the note where the namespace stays, because others use it. */
export async function removeCleanUpRecord(wec: Kube): Promise<void> {
  for (const holder of holders) {
    const namespace = await wec.get(resources.namespaces, holder);
    if (namespace?.metadata.annotations?.[recordAnnotation] === undefined) continue;
    const { uid } = namespace.metadata;
    await wec.merge(resources.namespaces, holder, { metadata: { uid, annotations: { [recordAnnotation]: null } } });
  }
}

function parseRecord(text: string): CleanUpRecord | undefined {
  try {
    const { name, hub = null, hubHash = null } = JSON.parse(text) as Partial<CleanUpRecord>;
    return typeof name === 'string' ? { name, hub, hubHash } : undefined;
  } catch {
    return undefined;
  }
}
