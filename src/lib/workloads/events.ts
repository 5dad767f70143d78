import { type Event, resources } from '../kube/client/objects.ts';
import { type LogSource, podsOfObject } from './logs.ts';

/** What a WEC reports of an object, or of what belongs to it. The fields are an interface: docs/output.md. */
export interface WorkloadEvent {
  wec: string;
  /** When it was seen last: RFC 3339. */
  last: string | null;
  type: string;
  reason: string;
  /** As `Pod/web-7d9c-x2x`. */
  object: string;
  message: string;
  count: number;
}

/** The Namespace that has the events of objects without one (client-go, events: makeEvent). */
const ofClusterScoped = 'default';

/**
 * Reads the events of an object on a WEC, of its pods, and of what its name precedes, such as ReplicaSets, Jobs and claims.
 * @returns in the order of time @throws StellarError `not-found` if the WEC does not have the object
 */
export async function readEvents(source: LogSource): Promise<WorkloadEvent[]> {
  const { wec, kube, object } = source;
  const { name, namespace = ofClusterScoped } = object.ref;
  const [pods, events] = await Promise.all([
    podsOfObject(source),
    kube.list<Event>(resources.events, { namespace }),
  ]);
  const names = new Set([name, ...pods.map(({ metadata }) => metadata.name)]);
  const isOf = (other = '') => names.has(other) || other.replace(/-[^-]+$/, '') === name;
  return (events ?? [])
    .filter(({ involvedObject }) => isOf(involvedObject?.name))
    .map(({ metadata, involvedObject, ...event }) => ({
      wec,
      last:
        event.series?.lastObservedTime ??
        event.lastTimestamp ??
        event.eventTime ??
        metadata.creationTimestamp ??
        null,
      type: event.type ?? '',
      reason: event.reason ?? '',
      object: `${involvedObject?.kind}/${involvedObject?.name}`,
      message: event.message ?? '',
      count: event.series?.count ?? event.count ?? 1,
    }))
    .sort((a, b) => Date.parse(a.last ?? '') - Date.parse(b.last ?? ''));
}
